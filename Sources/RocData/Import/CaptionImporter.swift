import RocJSON
import RocNames
import RocScore
package import RocStore
package import RocTables

/// Reads comments on AVA's pictures, whose scores and votes come from the dataset `ava` of the same
/// database.
///
/// Files of any size are read as a stream inside one transaction: no more than one picture's
/// comments are in memory.
package struct CaptionImporter {
  private let manifest: Manifest
  private let source: SourceFolder
  private let files: [CaptionFile]

  /// - Throws: `DataError` when the source has no file of comments.
  package init(_ manifest: Manifest, source path: String) throws(DataError) {
    self.manifest = manifest
    source = try SourceFolder(path, allowsFile: true)
    var files: [CaptionFile] = []
    for file in source.files {
      if let found = try CaptionFile("\(source.path)/\(file)", name: file) { files.append(found) }
    }
    guard !files.isEmpty else {
      throw DataError(
        """
        \(path): no file of comments (\(manifest.labels?.description ?? "")); \(source.listing)
        """, isMissing: true)
    }
    self.files = files
  }

  /// Puts everything into the database in one transaction.
  ///
  /// - Parameters:
  ///   - store: Where to; it must hold `ava`.
  ///   - images: Where the pictures are; nil leaves what is known about them.
  ///   - replace: Removes what an earlier import stored.
  /// - Returns: What was found; the same for a second import, which changes nothing.
  /// - Throws: `DataError` when the database does not hold `ava`; the database's errors.
  package func run(
    into store: Store, images: ImageFolder?, replace: Bool
  ) throws -> ImportReport {
    try store.write { db in
      guard let ava = try DatasetRecord.named("ava", db), let labels = try AVALookup(ava, db) else {
        throw DataError(
          """
          \(store.path): holds no ava, whose votes are the labels of these comments; import it \
          first: roc-data import ava --source AVA_dataset
          """, isMissing: true)
      }
      var record = manifest.record
      if ava.isMadeUp { record.markAsMadeUp() }
      record.imageFolder = images?.path
      let writer = try DatasetWriter.open(record, replace: replace, db)
      var sink = Sink(manifest, labels, writer, images)
      var report = ImportReport(dataset: manifest.name)
      report.notes = source.remarks
      for file in files { try file.read(into: &sink, &report) }
      try writer.finish()
      if images != nil { report.missingImages = sink.missing }
      try sink.writeSchemes(&report)
      try writer.setQuarantine(of: source.files, report.skipped)
      report.images = sink.count
      let totals = try writer.totals()
      report.scores = ScoreSummary(totals.scores)
      report.votes = totals.votes
      return report
    }
  }

  /// Takes comments picture by picture.
  struct Sink {
    private let manifest: Manifest
    private let labels: AVALookup
    private let writer: DatasetWriter
    private let images: ImageFolder?
    private var rows: [Int: Int64] = [:]
    private var published: [String: [Int64]] = [:]
    private(set) var missing: [ImageKey] = []
    /// The source being read and how many comments it gave to each picture.
    private var source = ""
    private var given: [Int64: Int] = [:]

    init(
      _ manifest: Manifest, _ labels: AVALookup, _ writer: DatasetWriter, _ images: ImageFolder?
    ) {
      self.manifest = manifest
      self.labels = labels
      self.writer = writer
      self.images = images
    }

    var count: Int { rows.count }

    /// The first of some ids that is a picture of AVA's; the first of all where none is, so that the
    /// record is set aside under its name.
    func joined(_ ids: [Int]) throws -> Int {
      for id in ids {
        if rows[id] != nil { return id }
        let key = ImageKey(manifest.images.name.replacing("{id}", with: String(id)))
        if try labels.label(key) != nil { return id }
      }
      return ids[0]
    }

    /// The row of a picture, which is made when this is the first file that has it.
    ///
    /// - Throws: `DataError` when AVA has no votes for it.
    mutating func row(_ id: Int) throws -> Int64 {
      if let known = rows[id] { return known }
      let key = ImageKey(manifest.images.name.replacing("{id}", with: String(id)))
      guard let label = try labels.label(key) else {
        throw DataError("picture \(id) has no votes in ava, so there is no score")
      }
      let path = images?.path(of: key)
      if images != nil, path == nil { missing.append(key) }
      let sample = DatasetWriter.NewSample(
        key: key, score: label.score, votes: label.votes, extra: nil)
      let row = try writer.addSample(sample, path: path, looked: images != nil)
      rows[id] = row
      return row
    }

    /// Stores what one source says about a picture; a second line about it adds to the first.
    mutating func set(
      _ row: Int64, source: String, _ comments: [(text: String, clean: String?)]
    ) throws {
      if !source.isExactly(self.source) {
        self.source = source
        given = [:]
      }
      if let count = given[row] {
        for (place, comment) in comments.enumerated() {
          try writer.addComment(row, source: source, position: count + place, comment.text)
        }
      } else {
        try writer.setComments(row, source: source, comments)
      }
      given[row, default: 0] += comments.count
    }

    /// Adds one comment of a source that does not keep a picture's comments together.
    func add(_ row: Int64, source: String, position: Int, _ text: String) throws {
      try writer.addComment(row, source: source, position: position, text)
    }

    /// Remembers what the file itself calls the picture's part.
    mutating func publish(_ row: Int64, part: String) { published[part, default: []].append(row) }

    /// Divides by AVA's own division, and as the files say.
    func writeSchemes(_ report: inout ImportReport) throws {
      let test = try labels.testKeys()
      if test.isEmpty {
        report.notes.append("ava has no official/test, so comments have no official division")
      } else {
        var parts: [String: [Int64]] = ["train": [], "test": []]
        for sample in writer.before {
          parts[test.contains(sample.key) ? "test" : "train", default: []].append(sample.row)
        }
        for (id, row) in rows {
          let key = ImageKey(manifest.images.name.replacing("{id}", with: String(id)))
          parts[test.contains(key) ? "test" : "train", default: []].append(row)
        }
        try write("official", parts, &report)
      }
      try write("published", published, &report)
    }

    private func write(
      _ scheme: String, _ parts: [String: [Int64]], _ report: inout ImportReport
    ) throws {
      for part in SplitName.parts {
        guard let rows = parts[part] else { continue }
        let all = try writer.addMembers(scheme, part, Array(Set(rows)))
        report.splits.append((scheme, part, all.count))
      }
    }
  }
}
