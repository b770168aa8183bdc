// swift-tools-version: 6.2
import PackageDescription

let features: [SwiftSetting] = [
  .enableUpcomingFeature("ExistentialAny"),
  .enableUpcomingFeature("MemberImportVisibility"),
  .enableUpcomingFeature("InternalImportsByDefault"),
]

extension Target {
  /// A module map over a Debian library found through pkg-config.
  static func system(_ name: String, _ pkgConfig: String, apt package: String) -> Target {
    .systemLibrary(
      name: name, path: "Sources/System/\(name)", pkgConfig: pkgConfig,
      providers: [.apt([package])])
  }

  /// A C target; its header is `include/<name>.h`.
  static func c(_ name: String, _ dependencies: [Target.Dependency] = []) -> Target {
    .target(
      name: name, dependencies: dependencies, exclude: excluded[name] ?? [],
      linkerSettings: [.linkedLibrary("m", .when(platforms: [.linux]))])
  }

  /// A Swift module of the toolkit.
  static func library(_ name: String, _ dependencies: [Target.Dependency] = []) -> Target {
    .target(
      name: name, dependencies: dependencies, swiftSettings: features,
      linkerSettings: [.linkedLibrary("m", .when(platforms: [.linux]))])
  }

  /// A command under `Sources/Tools`: it parses, calls and prints.
  static func tool(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
    .executableTarget(
      name: name, dependencies: dependencies + [.argumentParser], path: "Sources/Tools/\(name)",
      swiftSettings: features)
  }

  /// The tests of one module.
  static func tests(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
    .testTarget(
      name: name, dependencies: dependencies + ["RocTestSupport"], path: "Tests/\(name)",
      exclude: excluded[name] ?? [],
      swiftSettings: features)
  }
}

extension Target.Dependency {
  static let argumentParser = product(name: "ArgumentParser", package: "swift-argument-parser")
  static let sqlite = product(name: "GRDBSQLite", package: "GRDB.swift")
  static let grdb = product(name: "GRDB", package: "GRDB.swift")
  static let yams = product(name: "Yams", package: "Yams")
}

/// Files beside sources: the kernel text that every instruction set includes, fixtures with the
/// scripts that made them.
let excluded = [
  "CRocKernels": [
    "kernels.inc", "vectors.inc", "rows.inc", "gradients.inc", "tiles.inc", "products.inc",
    "prepare.inc", "peak.inc",
  ],
  "RocMetricsTests": [
    "make_metrics.py", "metrics.json", "make_cider.py", "cider.json", "make_fits.py", "fits.json",
  ],
  "RocReportTests": ["Goldens"],
]

/// The datasets whose manifests are part of the program.
let manifests = [
  "aadb", "agiqa3k", "ava", "ava-captions", "baid", "deqa", "eva", "flickr-aes", "icaa17k",
  "icaa20k", "idealo", "kadid10k", "koniq10k", "label-studio", "live-c", "para", "qalign",
  "real-cur", "roc", "spaq", "table", "tad66k",
]

let package = Package(
  name: "roc",
  products: [
    .library(name: "Roc", targets: ["Roc"]),
    // For the package in Benchmarks; names with an underscore may change at any time.
    .library(name: "_CRocKernels", targets: ["CRocKernels"]),
  ],
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.0"),
    .package(url: "https://github.com/groue/GRDB.swift", from: "7.10.0"),
    .package(url: "https://github.com/jpsim/Yams", from: "6.2.0"),
  ],
  targets: [
    .system("CJPEG", "libjpeg", apt: "libjpeg-dev"),
    .system("CPNG", "libpng", apt: "libpng-dev"),
    .system("CWebP", "libwebpdemux", apt: "libwebp-dev"),
    .system("CArchive", "libarchive", apt: "libarchive-dev"),
    .system("CZlib", "zlib", apt: "zlib1g-dev"),
    .system("CCrypto", "libcrypto", apt: "libssl-dev"),
    .c("CRocKernels"),
    .c("CRocGuard"),
    .c("CRocImage", ["CJPEG", "CPNG", "CWebP"]),

    .library("RocJSON"),
    .library("RocScore"),
    .library("RocNames"),
    .library("RocFiles", ["RocNames"]),
    .library("RocMetrics"),
    .library("RocTensor", ["CRocKernels", "RocFiles"]),
    .library("RocDigest", ["CCrypto", "RocFiles"]),
    .library("RocArchive", ["CArchive", "RocNames"]),
    .library("RocTables", ["CZlib", "RocArchive", "RocFiles", "RocJSON", "RocNames"]),
    .library(
      "RocCheckpoint", ["CZlib", "RocDigest", "RocFiles", "RocJSON", "RocNames", "RocTensor"]),
    .library("RocTokenizer", ["RocFiles", "RocJSON"]),
    .library("RocImage", ["CRocImage", "RocFiles", "RocNames"]),
    .library(
      "RocModel",
      [
        "RocCheckpoint", "RocFiles", "RocImage", "RocJSON", "RocNames", "RocScore", "RocTensor",
        "RocTokenizer",
      ]),
    .library("RocStore", ["RocNames", "RocScore", .grdb, .sqlite]),
    .target(
      name: "RocData",
      dependencies: [
        "RocStore", "RocNames", "RocFiles", "RocScore", "RocMetrics", "RocImage", "RocDigest",
        "RocJSON",
        "RocArchive", "RocReport", "RocTables", .yams,
      ],
      resources: manifests.map { .embedInCode("Manifests/\($0).yaml") },
      swiftSettings: features),
    .target(
      name: "RocReport", dependencies: ["RocMetrics", "RocNames", "RocScore"],
      resources: [.embedInCode("Published/roc4mllm.tsv")], swiftSettings: features,
      linkerSettings: [.linkedLibrary("m", .when(platforms: [.linux]))]),
    .library(
      "RocEvaluation",
      [
        "RocData", "RocDigest", "RocFiles", "RocJSON", "RocMetrics", "RocNames", "RocReport",
        "RocScore", "RocStore", "RocTables", .yams,
      ]),
    .library(
      "RocTrain",
      [
        "RocCheckpoint", "RocData", "RocDigest", "RocFiles", "RocImage", "RocJSON", "RocMetrics",
        "RocModel", "RocNames", "RocReport", "RocScore", "RocStore", "RocTables", "RocTensor",
        "RocTokenizer",
      ]),
    .library(
      "RocScoring",
      [
        "RocData", "RocDigest", "RocEvaluation", "RocFiles", "RocImage", "RocJSON", "RocModel",
        "RocNames", "RocScore", "RocStore", "RocTables", "RocTensor",
      ]),
    .target(
      name: "RocBrowser",
      dependencies: [
        "RocData", "RocDigest", "RocEvaluation", "RocFiles", "RocImage", "RocJSON", "RocMetrics",
        "RocNames", "RocReport", "RocScore", "RocStore",
      ],
      resources: ["roc.css", "roc.js", "roc.svg", "try.js"].map { .embedInCode("Assets/\($0)") },
      swiftSettings: features),
    .library("RocServing", ["RocJSON", "RocModel", "RocNames", "RocScore", "RocTensor"]),
    .library("Roc", ["RocCheckpoint", "RocImage", "RocModel", "RocScore", "RocTensor"]),

    .library("RocTool", ["CRocGuard", "RocFiles", "RocNames", "RocStore", .argumentParser]),
    .library(
      "RocEngineTool",
      [
        "RocCheckpoint", "RocData", "RocFiles", "RocModel", "RocTensor", "RocTool", .argumentParser,
      ]),
    .tool(
      "roc-data",
      [
        "RocArchive", "RocData", "RocFiles", "RocImage", "RocJSON", "RocNames", "RocReport",
        "RocScore", "RocStore", "RocTables", "RocTool",
      ]),
    .tool(
      "roc-eval",
      [
        "RocCheckpoint", "RocData", "RocEngineTool", "RocEvaluation", "RocFiles", "RocImage",
        "RocJSON", "RocMetrics", "RocModel", "RocNames", "RocReport", "RocScore", "RocScoring",
        "RocStore", "RocTables", "RocTensor", "RocTool",
      ]),

    .tool(
      "roc-model",
      ["RocCheckpoint", "RocFiles", "RocJSON", "RocModel", "RocNames", "RocTensor", "RocTool"]),

    .tool(
      "roc-train",
      [
        "RocCheckpoint", "RocData", "RocFiles", "RocJSON", "RocMetrics", "RocModel", "RocNames",
        "RocReport", "RocScore", "RocStore", "RocTensor", "RocTool", "RocTrain",
      ]),

    .target(
      name: "RocTestSupport",
      dependencies: ["RocNames", "RocFiles", "RocJSON", "RocImage", "RocCheckpoint", "RocTensor"],
      path: "Tests/RocTestSupport",
      swiftSettings: features),
    .tests("RocJSONTests", ["RocJSON"]),
    .tests("RocFilesTests", ["RocFiles"]),
    .tests("RocArchiveTests", ["RocArchive"]),
    .tests("RocTensorTests", ["RocFiles", "RocTensor", "CRocKernels"]),
    .tests("RocCheckpointTests", ["RocFiles", "RocCheckpoint", "RocTensor", "RocDigest"]),
    .tests("RocTokenizerTests", ["RocFiles", "RocTokenizer", "RocJSON"]),
    .tests(
      "RocImageTests",
      ["RocFiles", "RocImage", "RocDigest", "RocJSON", "RocCheckpoint", "RocTensor"]),
    .tests(
      "RocModelTests",
      [
        "RocFiles", "RocModel", "RocScore", "RocImage", "RocJSON", "RocCheckpoint", "RocTensor",
        "RocNames", "RocTokenizer", "RocDigest",
      ]),
    .tests(
      "RocTrainTests",
      [
        "RocFiles", "RocTrain", "RocModel", "RocTensor", "RocTokenizer", "RocJSON", "RocCheckpoint",
        "RocImage", "RocScore",
      ]),
    .tests("RocTests", ["Roc"]),
    .tests("RocServingTests", ["RocModel", "RocServing"]),
    .tests("RocBrowserTests", ["RocBrowser", "RocNames"]),
    .tests("RocScoreTests", ["RocScore"]),
    .tests("RocNamesTests", ["RocNames"]),
    .tests("RocMetricsTests", ["RocMetrics", "RocJSON"]),
    .tests("RocReportTests", ["RocReport", "RocMetrics", "RocImage"]),
    .tests(
      "RocEvaluationTests",
      ["RocEvaluation", "RocFiles", "RocStore", "RocScore", "RocMetrics", "RocJSON", "RocData"]),
    .tests("RocStoreTests", ["RocStore", "RocScore", .grdb]),
    .tests(
      "RocDataTests",
      [
        "RocTables", "RocFiles", "RocData", "RocArchive", "RocStore", "RocScore", "RocMetrics",
        "RocImage",
        "RocDigest",
        "RocJSON", "RocNames", .grdb,
      ]),
    .tests(
      "ToolTests",
      [
        "RocFiles", "RocJSON", "RocImage", "RocModel", "RocCheckpoint", "RocTensor", "RocData",
        "RocScore",
        "RocScoring", "RocStore", "RocTool", "roc-data", "roc-eval",
        "roc-model", "roc-train", .grdb,
      ]),
  ]
)

// The server, whose libraries take minutes to build: `make serve` and `make test` set this.
if Context.environment["ROC_SERVE"] != nil {
  package.dependencies += [
    .package(url: "https://github.com/hummingbird-project/hummingbird", from: "2.28.0"),
    .package(url: "https://github.com/apple/swift-nio", from: "2.100.0"),
    .package(url: "https://github.com/apple/swift-http-types", from: "1.7.0"),
    .package(url: "https://github.com/apple/swift-log", from: "1.16.0"),
    .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
    .package(url: "https://github.com/apple/swift-nio-extras", from: "1.35.0"),
  ]
  package.targets += [
    .library(
      "RocServer",
      [
        "RocBrowser", "RocJSON", "RocModel", "RocReport", "RocScoring", "RocServing",
        .product(name: "Hummingbird", package: "hummingbird"),
        .product(name: "HummingbirdCore", package: "hummingbird"),
        .product(name: "NIOCore", package: "swift-nio"),
        .product(name: "NIOHTTP1", package: "swift-nio"),
        .product(name: "NIOHTTPTypes", package: "swift-nio-extras"),
        .product(name: "NIOHTTPTypesHTTP1", package: "swift-nio-extras"),
        .product(name: "HTTPTypes", package: "swift-http-types"),
        .product(name: "Logging", package: "swift-log"),
        .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
      ]),
    .tool(
      "roc-serve",
      [
        "RocBrowser", "RocEngineTool", "RocFiles", "RocModel", "RocServer", "RocServing",
        "RocStore", "RocTool",
      ]),
    .tests(
      "ServerTests",
      ["RocJSON", "RocModel", "RocStore", "roc-data", "roc-eval", "roc-serve", "roc-train"]),
  ]
}

// Programs for libFuzzer: Scripts/fuzz.sh builds them with the sanitizers they need.
if Context.environment["ROC_FUZZ"] != nil {
  package.targets.append(
    .executableTarget(
      name: "roc-fuzz",
      dependencies: [
        "RocCheckpoint", "RocTensor", "RocTokenizer", "RocModel", "RocImage", "RocJSON",
        "CRocImage",
      ],
      path: "Tests/Fuzz/Sources", swiftSettings: features))
}
