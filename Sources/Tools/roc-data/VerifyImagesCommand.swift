import ArgumentParser
import RocData
import RocFiles
import RocJSON
import RocNames
import RocStore
import RocTool

struct VerifyImagesCommand: RocCommand {
  static let configuration = CommandConfiguration(
    commandName: "verify-images",
    abstract: "Decode every picture of a dataset and mark those that are missing or broken.",
    discussion: """
      Keeps width, height, format, SHA-256 and a perceptual hash of each, and lists those that are
      missing, truncated or undecodable, tiny, animated, or named as another format. Pictures that
      were decoded before are skipped, so that an interrupted check continues.
      Exit code 3 says that some pictures are missing or broken; they are listed.
      """)

  @Argument(help: "The dataset's name.")
  var dataset: String

  @Option(help: "Pictures decoded at the same time; all cores by default.")
  var jobs: Int?

  @Flag(help: "Decode all pictures again.")
  var again = false

  @Flag(help: "Print one JSON object.")
  var json = false

  @OptionGroup var database: DatabaseOptions

  mutating func validate() throws {
    guard jobs.map({ (1...256).contains($0) }) ?? true else {
      throw ValidationError("--jobs \(jobs ?? 0): expected 1 to 256.")
    }
  }

  func execute() throws -> ExitStatus {
    let store = try database.open()
    let record = try store.dataset(dataset)
    guard record.imageFolder != nil else {
      throw CommandError(
        .dataMissing,
        """
        \(dataset): nobody has said where the pictures are; import again with --images FOLDER
        """)
    }
    let all = try store.samples(record).samples
    let todo = all.filter { again || $0.imageState != .readable }
    let folder =
      todo.contains { $0.path == nil } ? try? ImageFolder(record.imageFolder ?? "") : nil
    Interrupt.listen()
    var progress = Progress("verifying", total: todo.count, unit: "pictures")
    var done = 0
    var bad = 0
    var odd: [PictureFacts.Flag: Int] = [:]
    var listed: [JSON] = []
    // A few hundred a step: what a step found is kept whatever happens later.
    while done < todo.count {
      let step = Array(todo[done..<min(done + 256, todo.count)])
      let results = try ImageVerification.run(step, jobs: jobs ?? coreCount(), folder: folder)
      try store.save(results)
      done += results.count
      for result in results {
        let facts = result.facts
        for flag in facts.flags { odd[flag, default: 0] += 1 }
        guard facts.state != .readable || !facts.flags.isEmpty else { continue }
        if facts.state != .readable { bad += 1 }
        guard !json else {
          listed.append(Self.object(result))
          continue
        }
        progress.finish()
        let flags = facts.flags.map(\.rawValue).joined(separator: ",")
        try Console.print(
          "\(Quoted.name(result.key.text))\t\(facts.state.rawValue)\t\(facts.reason ?? flags)")
      }
      progress.update(done)
      if let status = Interrupt.status, done < todo.count {
        progress.finish()
        Console.note(
          "interrupted after \(done) of \(todo.count); the same command continues from here")
        return status
      }
    }
    progress.finish()
    let skipped = all.count - todo.count
    Console.note(
      """
      \(dataset): \(all.count) pictures, \(all.count - bad) readable, \(bad) missing or broken\
      \(skipped > 0 ? ", \(skipped) of them known from before" : "")
      """)
    for (flag, count) in odd.sorted(by: { $0.key.rawValue < $1.key.rawValue }) {
      Console.note("  \(flag.rawValue): \(count)")
    }
    if json {
      let flags = odd.sorted { $0.key.rawValue < $1.key.rawValue }.map {
        JSON.Member($0.key.rawValue, .int($0.value))
      }
      let report: JSON = [
        "schema": "roc/images/1", "dataset": .string(dataset), "n": .int(all.count),
        "n_readable": .int(all.count - bad), "n_bad": .int(bad),
        "n_known_before": .int(skipped), "flags": .object(flags), "pictures": .array(listed),
      ]
      try Console.printData(report.pretty)
    }
    for remark in folder?.remarks ?? [] { Console.note("Warning: \(remark)") }
    return bad == 0 ? .done : .partlyFailed
  }

  private static func object(_ result: VerifiedImage) -> JSON {
    [
      "image": .string(result.key.text), "state": .string(result.facts.state.rawValue),
      "reason": JSON(result.facts.reason),
      "flags": .array(result.facts.flags.map { .string($0.rawValue) }),
    ]
  }
}
