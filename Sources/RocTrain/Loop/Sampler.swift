import RocMetrics
import Synchronization

/// Which samples each step takes.
///
/// A seed and the step decide everything, so that a resumed training run goes on with the samples
/// that it would have had.
package struct Sampler: Sendable {
  /// How an epoch is put in order.
  package enum Order: Sendable, Equatable {
    /// Another order in every epoch.
    case shuffled(seed: UInt64)
    /// Shuffled, then the samples of up to 50 updates sorted by length, so that a batch has samples
    /// of similar length, as with the Hugging Face Trainer's `group_by_length`.
    case grouped(seed: UInt64, lengths: [Int])
    /// The same in every epoch.
    case given([Int])
  }

  private let count: Int
  private let order: Order
  /// Samples of a batch.
  package let batchSize: Int
  /// Batches of an update.
  package let accumulation: Int

  /// - Parameters:
  ///   - count: Samples in all; at least 1.
  ///   - order: How an epoch is put in order.
  ///   - batchSize: At least 1.
  ///   - accumulation: At least 1.
  package init(count: Int, order: Order, batchSize: Int, accumulation: Int) {
    precondition(count > 0 && batchSize > 0 && accumulation > 0, "a sampler of nothing")
    self.count = count
    self.order = order
    self.batchSize = batchSize
    let length = if case .given(let places) = order { places.count } else { count }
    // An epoch with fewer batches is one update, as in the Hugging Face Trainer.
    self.accumulation = min(accumulation, (length + batchSize - 1) / batchSize)
  }

  /// Samples of an epoch.
  private var length: Int { if case .given(let places) = order { places.count } else { count } }

  /// Batches of an epoch, the last of which may be smaller.
  package var batchesPerEpoch: Int { (length + batchSize - 1) / batchSize }

  /// Updates in that many epochs: at least one per epoch, as the Hugging Face Trainer counts them.
  package func updates(epochs: Double) -> Int {
    Int((epochs * Double(max(1, batchesPerEpoch / accumulation))).rounded(.up))
  }

  /// The batches of an update.
  ///
  /// Batches follow each other across epochs.
  package func batches(update: Int) -> [[Int]] {
    (update * accumulation..<(update + 1) * accumulation).map { batch in
      let places = epoch(batch / batchesPerEpoch)
      let start = batch % batchesPerEpoch * batchSize
      return Array(places[start..<min(start + batchSize, places.count)])
    }
  }

  /// The epoch in which an update begins.
  package func epoch(ofUpdate update: Int) -> Double {
    Double(update * accumulation) / Double(batchesPerEpoch)
  }

  /// The order of the epoch that was asked for last.
  private final class Last: Sendable {
    let order = Mutex<(epoch: Int, places: [Int])>((-1, []))
  }

  private let last = Last()

  private func epoch(_ epoch: Int) -> [Int] {
    last.order.withLock { last in
      if last.epoch != epoch { last = (epoch, computed(epoch)) }
      return last.places
    }
  }

  private func computed(_ epoch: Int) -> [Int] {
    switch order {
    case .given(let places): return places
    case .shuffled(let seed): return shuffled(seed, epoch)
    case .grouped(let seed, let lengths):
      let places = shuffled(seed, epoch)
      let update = batchSize * accumulation
      let size = max(min(places.count / (4 * update), 50), 1) * update
      return stride(from: 0, to: places.count, by: size).flatMap { start in
        // Stable, so that samples of one length stay shuffled.
        places[start..<min(start + size, places.count)].enumerated().sorted {
          (lengths[$1.element], $0.offset) < (lengths[$0.element], $1.offset)
        }.map(\.element)
      }
    }
  }

  /// The shuffle of Fisher and Yates.
  private func shuffled(_ seed: UInt64, _ epoch: Int) -> [Int] {
    var places = Array(0..<count)
    var stream = RandomStream(seed: seed, stream: epoch)
    for last in stride(from: count - 1, to: 0, by: -1) {
      places.swapAt(last, Int((stream.next() % UInt64(last + 1))))
    }
    return places
  }
}
