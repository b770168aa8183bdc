import ArgumentParser
import Foundation
import RocEvaluation
import RocJSON
import RocNames
import RocStore
import RocTool

struct Merge: RocCommand {
  static let configuration = CommandConfiguration(
    abstract: "Put the segments of all workers into the database and print the metrics.",
    discussion: """
      Every picture of the split must be there exactly once: equal duplicates are folded, missing
      pictures and contradictions end with exit code 4 and change nothing.

      Example:
        roc-eval merge segments/
      """)

  @Argument(help: "The folder that --segments named.")
  var folder: String

  @Flag(help: "Merge what is there even if pictures are missing.")
  var partial = false

  @Flag(help: "Put the segments' predictions in place of others in the database.")
  var replace = false

  @OptionGroup var bootstrap: BootstrapOptions

  @Flag(help: "Print one JSON object.")
  var json = false

  @Option(help: "Write predictions and ground truth as CSV; - is standard output.")
  var csv: String?

  @OptionGroup var database: DatabaseOptions

  func execute() throws -> ExitStatus {
    let merge: SegmentMerge
    do throws(SegmentError) {
      let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
      let found = try Segment.all(in: folder, names: names)
      for path in found.unbegun {
        Console.note("Warning: \(path): its worker stopped before the first line; it holds nothing")
      }
      merge = try SegmentMerge(found.segments)
    } catch {
      throw CommandError(error.isMissing ? .dataMissing : .checkFailed, error.message)
    }
    let store = try database.open()
    let header = merge.header
    let dataset = try store.dataset(header.dataset)
    let samples = try store.samples(dataset, split: header.split).samples
    guard StoredRun.digest(samples.map(\.key)) == header.splitSHA256 else {
      throw CommandError(
        .checkFailed,
        """
        \(dataset.name) \(header.split) has other pictures in \(database.path) than when the \
        segments were written (\(samples.count) and \(header.count))
        """)
    }
    for (path, line) in merge.torn {
      Console.note("Warning: \(path):\(line): a torn line; its picture counts as not scored")
    }
    for image in merge.conflicts.prefix(10) {
      Console.note("Error: \(image): segments disagree about it")
    }
    guard merge.conflicts.isEmpty else {
      throw CommandError(
        .checkFailed, "\(merge.conflicts.count) pictures have different predictions in \(folder)")
    }
    let known = Set(samples.map(\.key))
    let strangers = merge.predictions.keys.filter { !known.contains($0) }
    guard strangers.isEmpty else {
      throw CommandError(
        .checkFailed,
        "\(folder): \(strangers.count) pictures are not in the split, as \(strangers.min()?.text ?? "")"
      )
    }
    let missing = samples.filter { merge.predictions[$0.key] == nil }
    if !missing.isEmpty {
      let text = "\(missing.count) of \(samples.count) pictures are in no segment"
      guard partial else {
        throw CommandError(
          .checkFailed, "\(text), as \(missing[0].key); --partial takes what is there")
      }
      Console.note("Warning: \(text)")
    }
    return try keep(merge, samples, dataset, store)
  }

  private func keep(
    _ merge: SegmentMerge, _ samples: [SampleRecord], _ dataset: DatasetRecord, _ store: Store
  ) throws -> ExitStatus {
    let own = merge.header.run
    var record = RunRecord(
      dataset: dataset.id ?? 0, fingerprint: own.fingerprint, checkpoint: own.checkpoint,
      checkpointSHA256: own.checkpointSHA256, question: own.question,
      preprocessing: own.preprocessing, precision: own.precision, engine: own.engine,
      range: own.range, tokens: own.tokens, targets: own.targets)
    record.id = try store.findOrInsert(record)
    let predictions = samples.compactMap { sample in
      merge.predictions[sample.key].map { found in
        var prediction = PredictionRecord(
          sample: sample.id, scores: found.scores, distributions: found.distributions,
          text: found.text, errorCode: found.errorCode, errorMessage: found.errorMessage,
          milliseconds: found.milliseconds)
        prediction.picture = found.picture
        return prediction
      }
    }
    let known = try store.predictions(run: record.id ?? 0)
    // A picture that could not be read this time is no contradiction.
    let new = predictions.filter { own in
      guard let stored = known[own.sample] else { return true }
      return !stored.agrees(with: own) && (own.errorCode == nil || stored.errorCode != nil)
    }
    let others = new.filter { known[$0.sample].map { $0.errorCode == nil } ?? false }
    let keys = Dictionary(uniqueKeysWithValues: samples.map { ($0.id, $0.key) })
    for prediction in others.prefix(10) {
      let stored = known[prediction.sample]
      let reason =
        stored?.picture?.sha256 == prediction.picture?.sha256
        ? "" : ", of another content of the picture"
      Console.note(
        """
        \(replace ? "Warning" : "Error"): \(keys[prediction.sample]?.text ?? ""): the database has the score \
        \(stored?.scores.first?.description ?? "–"), the segments \
        \(prediction.scores.first?.description ?? "–")\(reason)
        """)
    }
    guard others.isEmpty || replace else {
      throw CommandError(
        .checkFailed,
        """
        \(others.count) pictures have other predictions in \(database.path); --replace takes the \
        segments'
        """)
    }
    try store.save(new, run: record.id ?? 0, replaces: replace)
    Console.note(
      """
      \(new.count) predictions merged, \(predictions.count - new.count) were there already, \
      \(merge.duplicates) equal duplicates folded
      """)
    let result = try RunResult(
      StoredRun(store, record, dataset, split: merge.header.split), in: store,
      bootstrap: bootstrap)
    if let csv { try OutputFile.write(result.csv, to: csv) }
    if json {
      try Console.print(result.json.pretty)
    } else if csv != "-" {
      try Console.print(result.text)
    }
    return result.failures.isEmpty && merge.torn.isEmpty ? .done : .partlyFailed
  }
}
