import ArgumentParser
import RocData
import RocJSON
import RocScore
import RocTool

struct Import: RocCommand {
  static let configuration = CommandConfiguration(
    abstract: "Read a dataset's label files as downloaded into the database.",
    discussion: """
      The whole import is one transaction; importing the same source again changes nothing.
      Lines that cannot be read are set aside and listed (exit code 3).

      Example:
        roc-data import ava --source AVA_dataset --images AVA_dataset/images
      """)

  @Argument(help: "The dataset's name, or the path of a manifest of your own (.yaml).")
  var dataset: String

  @Option(help: "Folder of the label files, in the layout of the download.")
  var source: String

  @Option(help: "Folder of the pictures; without it nobody looks for them.")
  var images: String?

  @Flag(help: "Remove what an earlier import of this dataset stored, its runs included.")
  var replace = false

  @Flag(help: "Print one JSON object.")
  var json = false

  @OptionGroup var database: DatabaseOptions

  func execute() throws -> ExitStatus {
    let manifest =
      dataset.hasSuffix(".yaml") ? try Manifest.read(dataset) : try Manifest.bundled(dataset)
    let folder = try images.map { path throws(DataError) in try ImageFolder(path) }
    let report = try read(manifest, folder)
    for line in report.skipped.prefix(20) {
      Console.note("Warning: \(line.file):\(line.line): \(line.reason); the line was set aside")
    }
    if report.skipped.count > 20 {
      Console.note(
        "Warning: … and \(report.skipped.count - 20) more lines; all are in table quarantine")
    }
    for note in report.notes { Console.note("Warning: \(note)") }
    for key in (report.missingImages ?? []).prefix(10) {
      Console.note("Warning: \(key) is not in \(images ?? "")")
    }
    try Console.print(json ? report.json.pretty : text(report))
    return report.skipped.isEmpty ? .done : .partlyFailed
  }

  /// The database is made only when there is something to put into it.
  private func read(_ manifest: Manifest, _ images: ImageFolder?) throws -> ImportReport {
    switch manifest.importer {
    case .ava:
      let importer = try AVAImporter(manifest, source: source)
      return try importer.run(
        into: try database.open(creates: true), images: images, replace: replace)
    case .table:
      let importer = try TableImporter(manifest, source: source)
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
