import RocEvaluation
import RocMetrics
import RocNames
import RocReport
import RocStore

/// A run on one part of its dataset: metrics with intervals, and figures.
struct RunView: Sendable {
  let result: RunResult
  let figures: [Figure]
  /// The lines with the largest errors first, as many as are shown.
  let worst: [StoredRun.Line]

  private static let most = 48

  var stored: StoredRun { result.stored }

  /// - Parameters:
  ///   - stored: What the run said.
  ///   - store: Where it is.
  /// - Throws: The database's errors.
  init(_ stored: StoredRun, in store: Store) throws {
    result = try RunResult(stored, in: store, RunViews.resampling)
    figures = RunFigures.all(stored, result.details.pictures)
    let errors = stored.lines.map { abs(($0.scores.first ?? .nan) - $0.sample.score) }
    let order = stored.lines.indices.sorted { a, b in
      errors[a] != errors[b]
        ? errors[a] > errors[b] : stored.lines[a].sample.id < stored.lines[b].sample.id
    }
    worst = order.prefix(Self.most).map { stored.lines[$0] }
  }
}

/// What runs came to.
///
/// Metrics with intervals take up to a second at the size of AVA's test split, so
/// they are found in the background.
final class RunViews: Sendable {
  /// A run on a part.
  struct Key: Hashable {
    let run: Int64
    let split: String
  }

  /// Two runs on the same part.
  struct PairKey: Hashable {
    let first: Key
    let second: Key
  }

  /// What `roc-eval --resamples` would be.
  static let resampling = Resampling(count: 1000, seed: 1)
  /// Runs whose metrics are found before anybody asks.
  static let mostWarm = 50

  /// Some hundred bytes a line.
  let full = InBackground<Key, RunView>("roc.views", room: 400_000) { $0.stored.lines.count }
  /// Metrics alone stay longer.
  let summaries = InBackground<Key, Metrics>("roc.summaries", room: 2000)
  let pairs = InBackground<PairKey, ComparedView>("roc.pairs", room: 50)
}

/// A run, its dataset, and how many of each part's pictures it has scored.
struct RunParts: Sendable {
  let run: RunRecord
  let dataset: DatasetRecord
  let index: DatasetIndex
  let scored: Int
  /// Changes with its scores and with the ground truth.
  let version: Int
  /// The parts with a score, the best covered first.
  let parts: [(name: String, scored: Int, of: Int)]

  var id: Int64 { run.id ?? 0 }
}

extension Browser {
  /// - Throws: `NoSuchPage` for a number that no run has.
  func runParts(_ id: Int64) throws -> RunParts {
    try runs.value(id, version) { try self.makeRunParts(id) }
  }

  private func makeRunParts(_ id: Int64) throws -> RunParts {
    guard let run = try store.runRecords().first(where: { $0.id == id }),
      let dataset = try store.datasetRecords().first(where: { $0.id == run.dataset })
    else { throw NoSuchPage("There is no run \(id).") }
    let index = try index(of: dataset)
    var isScored = [Bool](repeating: false, count: index.count)
    let (samples, newest) = try store.scoredSamples(run: id)
    for sample in samples { if let place = index.place(of: sample) { isScored[place] = true } }
    var parts = index.parts.map { name, places in
      (name: name.description, scored: places.count { isScored[Int($0)] }, of: places.count)
    }.filter { $0.scored > 0 }
    func rank(_ part: (name: String, scored: Int, of: Int)) -> (Double, Int, Int) {
      let isTest = part.name.hasSuffix("/test") ? 1 : 0
      let isDefault = part.name.hasPrefix("\(dataset.defaultScheme)/") ? 1 : 0
      return (Double(part.scored) / Double(part.of), isDefault, isTest)
    }
    parts.sort { rank($0) > rank($1) }
    var hasher = Hasher()
    hasher.combine(samples.count)
    hasher.combine(newest)
    hasher.combine(index.version)
    return RunParts(
      run: run, dataset: dataset, index: index, scored: samples.count,
      version: hasher.finalize(), parts: parts)
  }

  /// The part that was asked for, or the one that a run covers best; nil without scores.
  private func key(_ parts: RunParts, _ split: String?) throws -> RunViews.Key? {
    guard let name = split ?? parts.parts.first?.name else { return nil }
    guard parts.parts.contains(where: { $0.name.isExactly(name) }) else {
      throw NoSuchPage("Run \(parts.id) has no scores on \(name).")
    }
    return RunViews.Key(run: parts.id, split: name)
  }

  /// What may not be there yet.
  enum Found<Value> {
    case nothing
    case notYet
    case found(Value)
  }

  /// The results of a run on the part that was asked for, or on the one that it covers best.
  ///
  /// - Parameters:
  ///   - parts: The run.
  ///   - split: The part.
  ///   - seconds: How long to wait; nil until they are there.
  /// - Returns: Nothing where no picture of a part has a score.
  /// - Throws: `NoSuchPage` for another part, and the database's errors.
  func view(_ parts: RunParts, _ split: String?, waiting seconds: Double?) throws -> Found<RunView>
  {
    guard let key = try key(parts, split) else { return .nothing }
    return try view(parts, key, waiting: seconds).map(Found.found) ?? .notYet
  }

  private func view(
    _ parts: RunParts, _ key: RunViews.Key, waiting seconds: Double?
  ) throws -> RunView? {
    let store = store
    return try views.full.value(key, version: parts.version, waiting: seconds) {
      try RunView(try StoredRun(store, parts.run, parts.dataset, split: key.split), in: store)
    }
  }

  /// The metrics of a run on the part that it covers best.
  func summary(_ parts: RunParts, waiting seconds: Double?) throws -> Found<Metrics> {
    guard let key = try key(parts, nil) else { return .nothing }
    let metrics = try views.summaries.value(key, version: parts.version, waiting: seconds) {
      guard let view = try self.view(parts, key, waiting: nil) else {
        throw NoSuchPage("Run \(parts.id) has no scores on \(key.split).")
      }
      return view.result.metrics
    }
    return metrics.map(Found.found) ?? .notYet
  }

  /// Two runs on a part.
  func compared(
    _ first: RunParts, _ second: RunParts, _ split: String, waiting seconds: Double?
  ) throws -> ComparedView? {
    guard let a = try key(first, split), let b = try key(second, split) else { return nil }
    var hasher = Hasher()
    hasher.combine(first.version)
    hasher.combine(second.version)
    let version = hasher.finalize()
    return try views.pairs.value(.init(first: a, second: b), version: version, waiting: seconds) {
      guard let left = try self.view(first, a, waiting: nil),
        let right = try self.view(second, b, waiting: nil)
      else { throw NoSuchPage("There are no scores on \(split).") }
      return ComparedView(left.stored, right.stored)
    }
  }
}
