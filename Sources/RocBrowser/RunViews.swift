import RocEvaluation
import RocNames
import RocReport
import RocStore
import Synchronization

/// A run on one part of its dataset: metrics with intervals, and figures.
struct RunView: Sendable {
  let result: RunResult
  let figures: [Figure]

  var stored: StoredRun { result.stored }

  /// Its lines, the largest errors first.
  var byError: [StoredRun.Line] {
    stored.lines.sorted { a, b in
      let (first, second) = (Self.error(a), Self.error(b))
      return first != second ? first > second : a.sample.id < b.sample.id
    }
  }

  private static func error(_ line: StoredRun.Line) -> Double {
    abs((line.scores.first ?? .nan) - line.sample.score)
  }
}

/// Runs that were looked at lately: their metrics take up to a second at the size of AVA's test split.
final class RunViews: Sendable {
  private struct Key: Hashable {
    let run: Int64
    let split: String
    /// Another number of scores is another result.
    let scored: Int
  }

  private let known = Mutex<[(key: Key, view: RunView)]>([])
  private static let most = 24
  /// What `roc-eval --resamples` would be.
  private static let resampling = Resampling(count: 1000, seed: 1)

  /// - Parameters:
  ///   - store: Where the run is.
  ///   - run: The run.
  ///   - dataset: Its dataset.
  ///   - split: `scheme/part`.
  ///   - scored: How many pictures it has scored.
  /// - Returns: The run's results on that part.
  /// - Throws: The database's errors.
  func view(
    _ store: Store, _ run: RunRecord, _ dataset: DatasetRecord, split: String, scored: Int
  ) throws -> RunView {
    let key = Key(run: run.id ?? 0, split: split, scored: scored)
    let found = known.withLock { known -> RunView? in
      guard let place = known.firstIndex(where: { $0.key == key }) else { return nil }
      let entry = known.remove(at: place)
      known.append(entry)
      return entry.view
    }
    if let found { return found }
    let stored = try StoredRun(store, run, dataset, split: split)
    let result = try RunResult(stored, in: store, Self.resampling)
    let view = RunView(result: result, figures: RunFigures.all(stored, result.details.pictures))
    known.withLock { known in
      known.removeAll { $0.key == key }
      known.append((key, view))
      if known.count > Self.most { known.removeFirst() }
    }
    return view
  }
}

extension Browser {
  /// A run, its dataset, and how many of each part's pictures it has scored.
  struct RunParts {
    let run: RunRecord
    let dataset: DatasetRecord
    let index: DatasetIndex
    let scored: Int
    /// The parts with a score, the best covered first.
    let parts: [(name: String, scored: Int, of: Int)]
  }

  /// - Throws: `NoSuchPage` for a number that no run has.
  func runParts(_ id: Int64) throws -> RunParts {
    guard let found = try store.runs().first(where: { $0.run.id == id }) else {
      throw NoSuchPage("There is no run \(id).")
    }
    let dataset = try dataset(found.dataset)
    let index = try index(of: dataset)
    var isScored = [Bool](repeating: false, count: index.count)
    let samples = try store.scoredSamples(run: id)
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
    return RunParts(
      run: found.run, dataset: dataset, index: index, scored: samples.count, parts: parts)
  }

  /// The results of a run on the part that was asked for, or on the one that it covers best.
  func view(_ parts: RunParts, _ split: String?) throws -> RunView? {
    guard let name = split ?? parts.parts.first?.name else { return nil }
    guard parts.parts.contains(where: { $0.name.isExactly(name) }) else {
      throw NoSuchPage("Run \(parts.run.id ?? 0) has no scores on \(name).")
    }
    return try views.view(store, parts.run, parts.dataset, split: name, scored: parts.scored)
  }
}
