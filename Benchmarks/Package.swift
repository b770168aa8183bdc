// swift-tools-version: 6.2
import PackageDescription

// A package of its own, so that nobody who only builds roc builds this.
let package = Package(
  name: "roc-benchmarks",
  dependencies: [.package(name: "roc", path: "..")],
  targets: [
    .executableTarget(
      name: "roc-bench",
      dependencies: [
        .product(name: "Roc", package: "roc"),
        .product(name: "_CRocKernels", package: "roc"),
      ])
  ]
)
