extension Manifest {
  /// The manifests that are part of the program, by dataset name.
  package static let bundledTexts: [String: [UInt8]] = ["ava": PackageResources.ava_yaml]

  /// The bundled manifest of a dataset.
  ///
  /// - Throws: `DataError` that lists the datasets there are.
  package static func bundled(_ name: String) throws(DataError) -> Manifest {
    guard let bytes = bundledTexts[name] else {
      let known = bundledTexts.keys.sorted().joined(separator: ", ")
      throw DataError("there is no dataset called \(name); known are: \(known)")
    }
    return try Manifest(
      yaml: String(decoding: bytes, as: UTF8.self), path: "manifests/\(name).yaml")
  }
}
