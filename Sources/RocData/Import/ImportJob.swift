import RocArchive
package import RocNames
package import RocScore
package import RocStore

/// The import of a download: which dataset it is, what its files say, and its pictures.
package struct ImportJob {
  /// What is asked for.
  package struct Request: Sendable {
    /// `auto`, the name of a known dataset, or a manifest.
    package var dataset: String
    package var source: String
    /// Stores the dataset under another name.
    package var name: String?
    /// The scale, where the files do not state it.
    package var range: ScoreRange?
    package var lowerIsBetter = false
    /// Takes only pictures whose first folder this is.
    package var onlyFolder: String?
    /// Takes pictures that seem to be stored under other names.
    package var allowsSameNames = false
    /// Removes what was stored of the dataset before.
    package var replaces = false

    package init(dataset: String, source: String) {
      self.dataset = dataset
      self.source = source
    }
  }

  package let manifest: Manifest
  private let request: Request

  /// Finds the manifest and puts into it what the request changes.
  ///
  /// - Parameters:
  ///   - request: What is asked for.
  ///   - note: Gets what people should know.
  /// - Throws: `JobError` where the dataset is not clear, `DataError` for an invalid manifest.
  package init(_ request: Request, note: (String) -> Void) throws {
    self.request = request
    var manifest: Manifest
    if request.dataset == "auto" {
      manifest = try Manifest.bundled(try Self.recognised(request.source, note))
    } else if request.dataset.hasSuffix(".yaml") {
      manifest = try Manifest.read(request.dataset)
    } else {
      manifest = try Manifest.bundled(request.dataset)
    }
    if let name = request.name { manifest.rename(name) }
    if request.lowerIsBetter {
      guard manifest.isGeneric == true else {
        throw JobError(
          .usage,
          """
          \(request.dataset): its manifest says which scores are better; --lower-is-better goes with \
          table, roc, qalign and deqa
          """)
      }
      manifest.declareLowerIsBetter()
    }
    if let range = request.range { manifest.declare(range) }
    self.manifest = manifest
  }

  /// The only dataset that files may be of.
  private static func recognised(_ source: String, _ note: (String) -> Void) throws -> String {
    let found = try Recognition.candidates(source)
    guard let guess = found.first?.name, found.count == 1 else {
      let list = found.map {
        "\n  roc-data import \($0.name) --source \(ShellWord.quoted($0.path))"
      }.joined()
      throw JobError(
        .missing,
        found.isEmpty
          ? "\(source): cannot tell which dataset these files are of; name it: roc-data import NAME"
          : "\(source): these files may be of several datasets; choose:\(list)")
    }
    note("\(source): files of \(guess)")
    return guess
  }

  /// Reads the source into a database, which is opened only when there is something to put into it.
  ///
  /// - Parameters:
  ///   - images: The pictures, where they were looked for.
  ///   - unpacked: What came out of an archive of pictures.
  ///   - open: Opens the database.
  /// - Returns: What was imported.
  /// - Throws: `DataError` and `StoreError`; the database then stays as it was.
  package func run(
    images: ImageFolder?, unpacked: PictureArchive.Result?, into open: () throws -> Store
  ) throws -> ImportReport {
    var report = try read(images, open)
    if let unpacked { try keep(unpacked, &report, open()) }
    return report
  }

  private func read(_ images: ImageFolder?, _ open: () throws -> Store) throws -> ImportReport {
    let source = request.source
    switch manifest.importer {
    case .ava:
      let importer = try AVAImporter(manifest, source: source)
      return try importer.run(into: try open(), images: images, replace: request.replaces)
    case .captions:
      let importer = try CaptionImporter(manifest, source: source)
      return try importer.run(into: try open(), images: images, replace: request.replaces)
    case .table:
      let importer = try TableImporter(
        manifest, source: source, onlyFolder: request.onlyFolder,
        allowsSameNames: request.allowsSameNames)
      return try importer.run(into: try open(), images: images, replace: request.replaces)
    }
  }

  /// Stores what was found while unpacking, so that nothing has to be decoded again.
  private func keep(
    _ unpacked: PictureArchive.Result, _ report: inout ImportReport, _ store: Store
  ) throws {
    report.skipped += unpacked.refused
    if unpacked.others > 0 {
      let shown = unpacked.otherNames.joined(separator: ", ")
      report.notes.append(
        """
        \(unpacked.others) entries of the archive are no pictures by their names and were not \
        unpacked: \(shown)\(unpacked.others > unpacked.otherNames.count ? ", …" : "")
        """)
    }
    try store.quarantine(unpacked.refused, of: report.dataset)
    let record = try store.dataset(report.dataset)
    let prefix = (record.imageFolder ?? "") + "/"
    let samples = try store.samples(record).samples
    let found = samples.compactMap { sample -> VerifiedImage? in
      guard let path = sample.path, path.utf8.starts(with: prefix.utf8) else { return nil }
      return unpacked.facts[String(Substring(path.utf8.dropFirst(prefix.utf8.count)))].map {
        VerifiedImage(sample: sample.id, key: sample.key, facts: $0)
      }
    }
    try store.save(found)
    let broken =
      unpacked.isKnown
      ? samples.filter { $0.imageState == .unreadable }.count
      : found.filter { $0.facts.state == .unreadable }.count
    report.unreadableImages = broken
    if broken > 0 { report.notes.append("\(broken) pictures cannot be decoded") }
  }
}
