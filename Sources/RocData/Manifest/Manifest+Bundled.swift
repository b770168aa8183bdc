package import RocTables

extension Manifest {
  /// The manifests that are part of the program, by dataset name.
  package static let bundledTexts: [String: [UInt8]] = [
    "aadb": PackageResources.aadb_yaml,
    "agiqa3k": PackageResources.agiqa3k_yaml,
    "ava": PackageResources.ava_yaml,
    "ava-captions": PackageResources.ava_captions_yaml,
    "baid": PackageResources.baid_yaml,
    "deqa": PackageResources.deqa_yaml,
    "eva": PackageResources.eva_yaml,
    "flickr-aes": PackageResources.flickr_aes_yaml,
    "icaa17k": PackageResources.icaa17k_yaml,
    "icaa20k": PackageResources.icaa20k_yaml,
    "idealo": PackageResources.idealo_yaml,
    "kadid10k": PackageResources.kadid10k_yaml,
    "koniq10k": PackageResources.koniq10k_yaml,
    "label-studio": PackageResources.label_studio_yaml,
    "live-c": PackageResources.live_c_yaml,
    "para": PackageResources.para_yaml,
    "qalign": PackageResources.qalign_yaml,
    "real-cur": PackageResources.real_cur_yaml,
    "roc": PackageResources.roc_yaml,
    "spaq": PackageResources.spaq_yaml,
    "table": PackageResources.table_yaml,
    "tad66k": PackageResources.tad66k_yaml,
  ]

  /// The bundled manifest of a dataset.
  ///
  /// - Throws: `DataError` that lists the datasets there are.
  package static func bundled(_ name: String) throws(DataError) -> Manifest {
    guard let bytes = bundledTexts[name] else {
      let known = bundledTexts.keys.sorted().joined(separator: ", ")
      throw DataError(
        "there is no dataset called \(name); known are: \(known); or give a manifest's path",
        isUsage: true)
    }
    return try Manifest(
      yaml: String(decoding: bytes, as: UTF8.self), path: "manifests/\(name).yaml")
  }
}
