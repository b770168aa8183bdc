import ArgumentParser
import RocArchive
import RocData
import RocFiles
import RocJSON
import RocNames
import RocScore
import RocTables
import RocTool

struct ImportCommand: RocCommand {
  static let configuration = CommandConfiguration(
    commandName: "import",
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
    let job = try ImportJob(request, note: Console.note)
    Interrupt.listen()
    var unpacked: PictureArchive.Result?
    if let images, ArchiveVolumes.isArchive(images), !isFolder(images) {
      unpacked = try unpack(images, job.manifest)
      if let status = Interrupt.status { return status }
    }
    let folder = try (unpacked?.folder ?? images).map { path throws(DataError) in
      try ImageFolder(path, isLoose: looseNames)
    }
    let report = try job.run(images: folder, unpacked: unpacked) {
      try database.open(creates: true)
    }
    let refused = unpacked?.refused ?? []
    for line in refused.prefix(20) {
      Console.note(
        "Warning: \(line.file): entry \(line.line), \(line.content): \(line.reason); it was not unpacked"
      )
    }
    if refused.count > 20 { Console.note("Warning: … and \(refused.count - 20) more entries") }
    for text in SetAsideLine.texts(report.skipped.filter { !refused.contains($0) }, most: 20) {
      Console.note("Warning: \(text); set aside")
    }
    for note in report.notes { Console.note("Warning: \(note)") }
    for remark in folder?.remarks ?? [] { Console.note("Warning: \(remark)") }
    for key in (report.missingImages ?? []).prefix(10) {
      Console.note("Warning: \(key) is \(folder?.reason(key, in: images ?? "") ?? "missing")")
    }
    if json {
      try Console.printData(report.json.pretty)
    } else {
      try Console.print(text(report))
    }
    return report.skipped.isEmpty ? .done : .partlyFailed
  }

  private var request: ImportJob.Request {
    var request = ImportJob.Request(dataset: dataset, source: source)
    request.name = name
    if let minScore, let maxScore { request.range = ScoreRange(low: minScore, high: maxScore) }
    request.lowerIsBetter = lowerIsBetter
    request.onlyFolder = onlyFolder
    request.allowsSameNames = allowSameNames
    request.replaces = replace
    return request
  }

  private func unpack(_ path: String, _ manifest: Manifest) throws -> PictureArchive.Result {
    let folder = PathName.folder(database.path)
    let isAtRoot = folder.isEmpty && database.path.utf8.first == UInt8(ascii: "/")
    let parent = folder.isEmpty ? (isAtRoot ? "" : ".") : folder
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
