import RocData
import RocDigest
import RocJSON
import RocMetrics
import RocScore
import RocStore
import RocTool

/// The metrics of a stored run on one split, with everything that they depend on.
struct RunResult {
  /// One scored picture, predictions on the dataset's scale.
  private struct Line {
    let sample: SampleRecord
    let score: Double
    let predicted: [Double]
    let truth: [Double]
  }

  let run: SplitRun
  let split: SplitName
  let metrics: Metrics
  /// Pictures of the split, scored or not.
  let expected: Int
  let failures: [PredictionRecord]
  private let splitSHA256: String
  private let lines: [Line]
  private let seconds: Double

  init(run: SplitRun, split: SplitName, all: [SampleRecord]) throws {
    self.run = run
    self.split = split
    expected = all.count
    splitSHA256 = SHA256.of(
      all.map(\.key).sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
        .map { "\($0)\n" }.joined())
    let predictions = try run.store.predictions(run: run.record.id ?? 0)
    let stored = all.compactMap { sample in predictions[sample.id].map { (sample, $0) } }
    failures = stored.map(\.1).filter { $0.errorCode != nil }
    seconds = stored.reduce(0) { $0 + $1.1.milliseconds } / 1000
    let dataset = run.dataset
    let sharesBins = Self.sharesBins(run)
    lines = stored.compactMap { sample, prediction in
      guard let score = prediction.scores.first else { return nil }
      let truth = sample.votes.flatMap { VoteHistogram(counts: $0).distribution }
      return Line(
        sample: sample, score: run.record.range.map(score, to: dataset.range),
        predicted: sharesBins ? prediction.distributions.first ?? [] : [],
        truth: sharesBins ? truth ?? [] : [])
    }
    var pairs = ScoredPairs(
      predicted: lines.map(\.score), truth: lines.map(\.sample.score))
    if sharesBins, lines.allSatisfy({ !$0.truth.isEmpty }) {
      pairs.distributions = lines.map { ($0.predicted, $0.truth) }
    }
    metrics = Metrics(pairs, threshold: dataset.threshold)
  }

  /// Whether the score tokens stand for the dataset's own bins.
  private static func sharesBins(_ run: SplitRun) -> Bool {
    guard let bins = run.dataset.bins else { return false }
    return bins.count == run.record.tokens && bins.first == run.record.range.low
      && bins.first + Double(bins.count - 1) * bins.step == run.record.range.high
  }

  private var isIncomplete: Bool { metrics.count < expected }

  private var scale: String {
    "\(run.record.range)=\(run.dataset.range)"
  }

  /// The checkpoint folder's name.
  var method: String {
    run.record.checkpoint.split(separator: "/").last.map(String.init) ?? run.record.checkpoint
  }

  var caption: String {
    let part = isIncomplete ? "\(metrics.count) of \(expected)" : "\(expected)"
    let isMapped = run.record.range != run.dataset.range
    let scores =
      isMapped ? "Scores mapped \(scale)" : "Scores on the scale \(run.dataset.range.words)"
    return """
      \(run.dataset.title), \(split) (\(part) pictures). \(scores), PLCC on \
      raw values, accuracy of score > \(ScoreRange.short(run.dataset.threshold)), EMD with r = 1 averaged over \
      pictures. Precision \(run.record.precision).
      """
  }

  /// The object of `roc-eval --json`.
  var json: JSON {
    var intervals: [JSON.Member] = []
    var reasons: [JSON.Member] = []
    for metric in metrics.all {
      intervals.append(
        JSON.Member(
          metric.name, metric.interval.map { [.double($0.low), .double($0.high)] } ?? .null))
      if let reason = metric.reason { reasons.append(JSON.Member(metric.name, .string(reason))) }
    }
    return [
      "schema": "roc/run/1",
      "checkpoint": [
        "path": .string(run.record.checkpoint), "sha256": .string(run.record.checkpointSHA256),
      ],
      "dataset": .string(run.dataset.name),
      "split": [
        "name": .string(split.description), "sha256": .string(splitSHA256), "n": .int(expected),
      ],
      "question": .string(run.record.question),
      "protocol": [
        "gt": "as stored, not rounded", "scale": .string(scale),
        "threshold": .double(run.dataset.threshold), "plcc": "raw", "emd_r": [1, 2],
        "ci95": "analytic: Fisher z (SRCC, KRCC: Bonett-Wright), normal, Wilson",
      ],
      "precision": .string(run.record.precision),
      "engine": .string(run.record.engine),
      "metrics": .object(metrics.all.map { JSON.Member($0.name, JSON($0.value)) }),
      "ci95": .object(intervals),
      "reasons": .object(reasons),
      "n_expected": .int(expected),
      "n_scored": .int(metrics.count),
      "n_failed": .int(failures.count),
      "incomplete": .bool(isIncomplete),
      "seconds": .double(seconds),
      "images_per_second": seconds > 0 ? .double(Double(metrics.count) / seconds) : .null,
    ]
  }

  /// The metrics as lines for people.
  var text: String {
    var rows = [["metric", "value", "95 % interval"]]
    for metric in metrics.all {
      let interval = metric.interval.map {
        "[\(fixed($0.low, 4)), \(fixed($0.high, 4))]"
      }
      rows.append([
        metric.name, metric.value.map { fixed($0, 4) } ?? "–",
        interval ?? metric.reason ?? "",
      ])
    }
    var lines = ["\(run.dataset.title) \(split): \(method)", Text.columns(rows)]
    lines.append("\(metrics.count) of \(expected) pictures scored, \(failures.count) failed")
    if isIncomplete { lines.append("The metrics are over an incomplete split.") }
    return lines.joined(separator: "\n")
  }

  /// `image,gt_score,score,p1…pN,t1…tN`; the distributions only where both sides have them.
  var csv: String {
    let hasBins = lines.allSatisfy { !$0.truth.isEmpty && !$0.predicted.isEmpty }
    let bins = hasBins ? lines.first?.truth.count ?? 0 : 0
    let header =
      ["image", "gt_score", "score"] + (0..<bins).map { "p\($0 + 1)" }
      + (0..<bins).map { "t\($0 + 1)" }
    var text = header.joined(separator: ",") + "\n"
    for line in lines {
      let numbers =
        [line.sample.score, line.score] + (hasBins ? line.predicted + line.truth : [])
      text +=
        ([TableExport.quoted(line.sample.key)] + numbers.map(\.description))
        .joined(separator: ",") + "\n"
    }
    return text
  }
}
