import ArgumentParser
import Foundation
import RocArchive
import RocData
import RocFiles
import RocJSON
import RocModel
import RocNames
import RocScore
import RocStore
import RocTables
import RocTool

struct Import: RocCommand {
  static let configuration = CommandConfiguration(
    abstract: "Read a dataset's label files as downloaded into the database.",
    discussion: """
      The whole import is one transaction; importing the same source again changes nothing.
      Lines that cannot be read are set aside and listed (exit code 3). Known datasets:
      \(Manifest.bundledTexts.keys.sorted().joined(separator: " ")).

      Examples:
        roc-data import ava --source AVA_dataset --images AVA_dataset/images
        roc-data import table --name mine --source ratings.csv --min-score 1 --max-score 5
      """)

  @Argument(help: "The dataset's name, auto, or the path of a manifest of your own (.yaml).")
  var dataset: String

  @Option(help: "Folder of the label files, in the layout of the download, or one file.")
  var source: String

  @Option(help: "Folder of the pictures, or a zip, tar or 7z file; by default none are looked for.")
  var images: String?

  @Option(help: "Where an archive of pictures is unpacked; default: NAME-pictures by the database.")
  var unpackTo: String?

  @Option(help: "Only pictures of this folder, where files hold several datasets.")
  var onlyFolder: String?

  @Flag(help: "Take pictures that seem to be stored under other names.")
  var allowSameNames = false

  @Flag(help: "Also take files whose names differ in Unicode form, leading zeros or ending.")
  var looseNames = false

  @Option(help: "Another name for the dataset in the database.")
  var name: String?

  @Option(
    parsing: .unconditional, help: "Lowest score of the scale, for tables that do not say it.")
  var minScore: Double?

  @Option(parsing: .unconditional, help: "Highest score of the scale.")
  var maxScore: Double?

  @Flag(help: "Lower scores mean better pictures, as often in DMOS.")
  var lowerIsBetter = false

  @Flag(help: "Remove what an earlier import of this dataset stored, its runs included.")
  var replace = false

  @Flag(help: "Print one JSON object.")
  var json = false

  @OptionGroup var database: DatabaseOptions

  mutating func validate() throws {
    if onlyFolder != nil, dataset == "ava" || dataset == "ava-captions" {
      throw ValidationError("--only-folder goes with tables of several datasets, as Q-Align's.")
    }
    guard (minScore == nil) == (maxScore == nil) else {
      throw ValidationError("--min-score and --max-score go together.")
    }
    if let minScore, let maxScore, !(minScore < maxScore && (maxScore - minScore).isFinite) {
      throw ValidationError("--min-score \(minScore) is not below --max-score \(maxScore).")
    }
    if let name { try DatasetName.check(name, "--name") }
  }

  func execute() throws -> ExitStatus {
    let manifest = try manifest()
    Interrupt.listen()
    var unpacked: PictureArchive.Result?
    if let images, ArchiveVolumes.isArchive(images), !isFolder(images) {
      unpacked = try unpack(images, manifest)
      if let status = Interrupt.status { return status }
    }
    let folder = try (unpacked?.folder ?? images).map { path throws(DataError) in
      try ImageFolder(path, isLoose: looseNames)
    }
    var report = try read(manifest, folder)
    if let unpacked { try keep(unpacked, &report) }
    let refused = unpacked?.refused ?? []
    for line in refused.prefix(20) {
      Console.note(
        "Warning: \(line.file): entry \(line.line), \(line.content): \(line.reason); it was not unpacked"
      )
    }
    if refused.count > 20 { Console.note("Warning: … and \(refused.count - 20) more entries") }
    for text in SkippedLine.texts(report.skipped.filter { !refused.contains($0) }, most: 20) {
      Console.note("Warning: \(text); set aside")
    }
    for note in report.notes { Console.note("Warning: \(note)") }
    for remark in folder?.remarks ?? [] { Console.note("Warning: \(remark)") }
    for key in (report.missingImages ?? []).prefix(10) {
      Console.note("Warning: \(key) is \(folder?.reason(key, in: images ?? "") ?? "missing")")
    }
    try Console.print(json ? report.json.pretty : text(report))
    return report.skipped.isEmpty ? .done : .partlyFailed
  }

  /// The manifest with what the command line changes.
  private func manifest() throws -> Manifest {
    var manifest: Manifest
    if dataset == "auto" {
      let found = try Recognition.candidates(source)
      guard let guess = found.first?.name, found.count == 1 else {
        let list = found.map {
          "\n  roc-data import \($0.name) --source \(ShellWord.quoted($0.path))"
        }.joined()
        throw CommandError(
          .dataMissing,
          found.isEmpty
            ? "\(source): cannot tell which dataset these files are of; name it: roc-data import NAME"
            : "\(source): these files may be of several datasets; choose:\(list)")
      }
      Console.note("\(source): files of \(guess)")
      manifest = try Manifest.bundled(guess)
    } else {
      manifest =
        dataset.hasSuffix(".yaml") ? try Manifest.read(dataset) : try Manifest.bundled(dataset)
    }
    if let name { manifest.rename(name) }
    if lowerIsBetter {
      guard manifest.isGeneric == true else {
        throw CommandError(
          .usage,
          """
          \(dataset): its manifest says which scores are better; --lower-is-better goes with table, \
          roc, qalign and deqa
          """)
      }
      manifest.declareLowerIsBetter()
    }
    if let minScore, let maxScore { manifest.declare(ScoreRange(low: minScore, high: maxScore)) }
    return manifest
  }

  private func unpack(_ path: String, _ manifest: Manifest) throws -> PictureArchive.Result {
    let parent =
      database.path.contains("/") ? (database.path as NSString).deletingLastPathComponent : "."
    let target = unpackTo ?? "\(parent)/\(manifest.name)-pictures"
    let archive = try PictureArchive(path, folder: target)
    var lastShown = 0
    let result = try archive.unpack(jobs: coreCount()) { count in
      if count - lastShown >= 10_000 {
        lastShown = count
        Console.note("unpacking \(path): \(count) pictures")
      }
      return Interrupt.status == nil
    }
    Console.note(
      result.isKnown
        ? "\(path): was unpacked into \(target) before"
        : "\(path): \(result.pictures) pictures unpacked into \(target)")
    return result
  }

  /// Stores what was found while unpacking, so that nothing has to be decoded again.
  private func keep(_ unpacked: PictureArchive.Result, _ report: inout ImportReport) throws {
    report.skipped += unpacked.refused
    if unpacked.others > 0 {
      let shown = unpacked.otherNames.joined(separator: ", ")
      report.notes.append(
        """
        \(unpacked.others) entries of the archive are no pictures by their names and were not \
        unpacked: \(shown)\(unpacked.others > unpacked.otherNames.count ? ", …" : "")
        """)
    }
    let store = try database.open()
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

  /// The database is made only when there is something to put into it.
  private func read(_ manifest: Manifest, _ images: ImageFolder?) throws -> ImportReport {
    switch manifest.importer {
    case .ava:
      let importer = try AVAImporter(manifest, source: source)
      return try importer.run(
        into: try database.open(creates: true), images: images, replace: replace)
    case .captions:
      let importer = try CaptionImporter(manifest, source: source)
      return try importer.run(
        into: try database.open(creates: true), images: images, replace: replace)
    case .table:
      let importer = try TableImporter(
        manifest, source: source, onlyFolder: onlyFolder, allowsSameNames: allowSameNames)
      return try importer.run(
        into: try database.open(creates: true), images: images, replace: replace)
    }
  }

  private func text(_ report: ImportReport) -> String {
    var lines = [
      report.rows == 0
        ? "\(report.dataset): splits for the pictures in \(database.path)"
        : "\(report.dataset): \(report.images) pictures from \(report.rows) rows into "
          + database.path
    ]
    if report.duplicates > 0 { lines.append("  \(report.duplicates) repeated rows") }
    if !report.skipped.isEmpty { lines.append("  \(report.skipped.count) rows set aside") }
    if let scores = report.scores {
      lines.append(
        """
          gt_score: mean \(fixed(scores.mean, 4)), std \(fixed(scores.deviation, 4)), \
        min \(fixed(scores.least, 4)), max \(fixed(scores.largest, 4))
        """)
    }
    if let votes = report.votes { lines.append("  votes: \(votes)") }
    for split in report.splits {
      lines.append("  \(split.scheme)/\(split.part): \(split.count)")
    }
    for list in report.unlabelled where list.count > 0 {
      lines.append("  \(list.list): \(list.count) listed ids have no label")
    }
    if let missing = report.missingImages {
      lines.append("  pictures missing: \(missing.count)")
    } else {
      lines.append("  pictures were not looked for (no --images)")
    }
    return lines.joined(separator: "\n")
  }
}
