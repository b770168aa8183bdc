import Dispatch
import Synchronization

/// Resamples of pairs, drawn once and used for all metrics.
package struct Bootstrap: Sendable {
  /// Kendall's correlation of a resample cannot be had from running sums; this many are enough for
  /// its interval's ends to move by less than a twentieth of its width.
  package static let mostKendall = 2000

  package let resamples: Int
  package let seed: UInt64
  /// One for each resample.
  package let values: [Resampler.Values]
  /// Of the first `mostKendall` resamples at most.
  package let kendall: [Double]

  /// - Parameters:
  ///   - pairs: At most `Resampler.largest`.
  ///   - threshold: Above it a score counts as good.
  ///   - resamples: How many.
  ///   - seed: Decides them; the number of threads does not.
  package init(_ pairs: ScoredPairs, threshold: Double, resamples: Int, seed: UInt64) {
    self.resamples = resamples
    self.seed = seed
    let resampler = Resampler(pairs, threshold: threshold)
    values = Self.draw(resampler.count, resamples, seed) {
      Resampler.Workspace(resampler)
    } evaluate: { counts, workspace in
      resampler.values(counts, &workspace)
    }
    let tau = WeightedKendall(resampler)
    kendall = Self.draw(resampler.count, min(resamples, Self.mostKendall), seed) {
      WeightedKendall.Workspace(tau)
    } evaluate: { counts, workspace in
      tau.value(counts, &workspace)
    }
  }

  /// Draws resamples on all cores; each has its own random stream.
  static func draw<Workspace, Value: Sendable>(
    _ count: Int, _ resamples: Int, _ seed: UInt64, workspace: @Sendable () -> Workspace,
    evaluate: @Sendable ([Int32], inout Workspace) -> Value
  ) -> [Value] {
    let blocks = 16
    let results = Mutex<[[Value]]>(Array(repeating: [], count: blocks))
    DispatchQueue.concurrentPerform(iterations: blocks) { block in
      var room = workspace()
      var counts = [Int32](repeating: 0, count: count)
      let range = (resamples * block / blocks)..<(resamples * (block + 1) / blocks)
      let values = range.map { number in
        var random = RandomStream(seed: seed, stream: number)
        random.resample(into: &counts)
        return evaluate(counts, &room)
      }
      results.withLock { $0[block] = values }
    }
    return results.withLock { $0.flatMap(\.self) }
  }
}

/// Kendall's tau-b of items that are taken a number of times each.
struct WeightedKendall: Sendable {
  private let order: [Int32]
  private let isLastOfTie: [Bool]
  /// The place of each item's ground truth among the distinct ones, from 1.
  private let place: [Int32]
  private let distinct: Int

  struct Workspace {
    fileprivate var sums: [Int64]
    fileprivate var totals: [Int64]

    init(_ tau: WeightedKendall) {
      sums = Array(repeating: 0, count: tau.distinct + 1)
      totals = Array(repeating: 0, count: tau.distinct + 1)
    }
  }

  init(_ resampler: Resampler) {
    order = resampler.order
    isLastOfTie = resampler.isLastOfTie
    var place = [Int32](repeating: 0, count: resampler.count)
    var next: Int32 = 1
    for (k, item) in resampler.truthOrder.enumerated() {
      place[Int(item)] = next
      if resampler.truthIsLastOfTie[k] { next += 1 }
    }
    self.place = place
    distinct = Int(next - 1)
  }

  /// - Complexity: O(n log n).
  func value(_ counts: [Int32], _ workspace: inout Workspace) -> Double {
    workspace.sums.withUnsafeMutableBufferPointer { sums in
      workspace.totals.withUnsafeMutableBufferPointer { totals in
        value(counts, sums, totals)
      }
    }
  }

  private func value(
    _ counts: [Int32], _ sums: UnsafeMutableBufferPointer<Int64>,
    _ totals: UnsafeMutableBufferPointer<Int64>
  ) -> Double {
    sums.update(repeating: 0)
    totals.update(repeating: 0)
    var met: Int64 = 0
    var score: Int64 = 0
    var tiedX: Int64 = 0
    var start = 0
    while start < order.count {
      var end = start
      while !isLastOfTie[end] { end += 1 }
      var size: Int64 = 0
      for k in start...end {
        let item = Int(order[k])
        let count = Int64(counts[item])
        guard count > 0 else { continue }
        size += count
        let y = Int(place[item])
        // Of the pairs with smaller x, those with smaller y agree, those with larger y do not.
        var below: Int64 = 0
        var i = y - 1
        while i > 0 {
          below += sums[i]
          i -= i & -i
        }
        let above = met - below - totals[y]
        score += count * (below - above)
      }
      for k in start...end {
        let item = Int(order[k])
        let count = Int64(counts[item])
        guard count > 0 else { continue }
        let y = Int(place[item])
        totals[y] += count
        var i = y
        while i < sums.count {
          sums[i] += count
          i += i & -i
        }
      }
      tiedX += size * (size - 1) / 2
      met += size
      start = end + 1
    }
    var tiedY: Int64 = 0
    for total in totals { tiedY += total * (total - 1) / 2 }
    let pairs = met * (met - 1) / 2
    guard pairs > tiedX, pairs > tiedY else { return .nan }
    return Double(score)
      / (Double(pairs - tiedX).squareRoot() * Double(pairs - tiedY).squareRoot())
  }
}
