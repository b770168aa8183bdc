import Dispatch
import RocNames
import RocScore
import RocStore
import Synchronization

/// AVA's rows as the texts that the database takes, made block by block on another thread while
/// the caller stores the block before.
struct AVASampleBlocks {
  private typealias Sample = DatasetWriter.NewSample
  /// Large enough that handing over costs nothing, small enough that blocks stay in the cache.
  private static let blockSize = 8192

  /// One block in the making.
  private final class Block: Sendable {
    private let samples = Mutex<[Sample]>([])
    private let isDone = DispatchSemaphore(value: 0)

    init(_ labels: AVALabelFile, _ range: Range<Int>, start: String, end: String) {
      DispatchQueue.global().async {
        let made = range.map { place in
          let row = labels.rows[place]
          let votes = labels.votes(row)
          return Sample(
            key: ImageKey(start + String(row.id) + end),
            score: VoteHistogram(counts: votes).mean ?? 0,
            votes: votes, extra: row.extra)
        }
        self.samples.withLock { $0 = made }
        self.isDone.signal()
      }
    }

    func wait() -> [Sample] {
      isDone.wait()
      return samples.withLock { $0 }
    }
  }

  private let labels: AVALabelFile
  private let start: String
  private let end: String
  private var pending: (range: Range<Int>, block: Block)?

  /// - Parameters:
  ///   - labels: All rows.
  ///   - start: What stands before the id in a picture's name.
  ///   - end: What stands after it.
  init(_ labels: AVALabelFile, start: String, end: String) {
    self.labels = labels
    self.start = start
    self.end = end
    begin(at: 0)
  }

  private mutating func begin(at place: Int) {
    let range = place..<min(place + Self.blockSize, labels.rows.count)
    pending = range.isEmpty ? nil : (range, Block(labels, range, start: start, end: end))
  }

  /// The next rows with their texts; nil after the last.
  mutating func next() -> Zip2Sequence<ArraySlice<AVALabelFile.Row>, [DatasetWriter.NewSample]>? {
    guard let (range, block) = pending else { return nil }
    let samples = block.wait()
    begin(at: range.upperBound)
    return zip(labels.rows[range], samples)
  }
}
