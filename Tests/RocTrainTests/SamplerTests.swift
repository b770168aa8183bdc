import Testing

@testable import RocTrain

struct SamplerTests {
  private func sampler(
    _ count: Int, _ order: Sampler.Order, batch: Int, accumulation: Int = 1
  ) -> Sampler {
    Sampler(count: count, order: order, batchSize: batch, accumulation: accumulation)
  }

  @Test func takesEverySampleOnceInAnEpochAndInAnotherOrderInTheNext() {
    let sampler = sampler(10, .shuffled(seed: 7), batch: 4)
    #expect(sampler.batchesPerEpoch == 3 && sampler.updates(epochs: 2) == 6)
    let first = (0..<3).flatMap { sampler.batches(update: $0).flatMap { $0 } }
    let second = (3..<6).flatMap { sampler.batches(update: $0).flatMap { $0 } }
    #expect(first.sorted() == Array(0..<10) && second.sorted() == Array(0..<10))
    #expect(first != second && first != Array(0..<10))
    #expect((0..<3).map { sampler.batches(update: $0)[0].count } == [4, 4, 2])
    // Any update can be asked for, in any order, as after a resume.
    let other = self.sampler(10, .shuffled(seed: 7), batch: 4)
    #expect(other.batches(update: 4) == sampler.batches(update: 4))
    #expect(
      self.sampler(10, .shuffled(seed: 8), batch: 4).batches(update: 0)[0]
        != first.prefix(4).map { $0 })
  }

  /// The Trainer of transformers 4.31: updates of an epoch are rounded down, batches that are left
  /// go on in the next epoch, and an epoch of fewer batches than an update has is one update.
  @Test func accumulatesAcrossEpochs() {
    let five = sampler(5, .given([0, 1, 2, 3, 4]), batch: 1, accumulation: 2)
    #expect(five.updates(epochs: 2) == 4)
    #expect(five.batches(update: 2) == [[4], [0]])
    #expect(five.epoch(ofUpdate: 2) == 0.8)
    let few = sampler(4, .given([3, 2, 1, 0]), batch: 2, accumulation: 8)
    #expect(few.updates(epochs: 3) == 3)
    #expect(few.batches(update: 1) == [[3, 2], [1, 0]])
  }

  @Test func putsSamplesOfSimilarLengthTogether() {
    let lengths = (0..<64).map { $0 * 37 % 64 }
    let sampler = sampler(64, .grouped(seed: 3, lengths: lengths), batch: 4)
    let epoch = (0..<16).flatMap { sampler.batches(update: $0).flatMap { $0 } }
    #expect(epoch.sorted() == Array(0..<64))
    // Four updates are sorted at a time: 16 samples.
    for start in stride(from: 0, to: 64, by: 16) {
      let piece = epoch[start..<start + 16].map { lengths[$0] }
      #expect(piece == piece.sorted(by: >))
    }
    let next = (16..<32).flatMap { sampler.batches(update: $0).flatMap { $0 } }
    #expect(next != epoch)
  }

  @Test func warmsUpAndFallsAsTransformersDoes() {
    let linear = Schedule(.linear, steps: 10, warmupRatio: 0.15)
    #expect(linear.warmup == 2)
    #expect([0, 1, 2, 6, 10].map { linear.factor($0) } == [0, 0.5, 1, 0.5, 0])
    let cosine = Schedule(.cosine, steps: 8, warmupRatio: 0)
    #expect(
      cosine.factor(0) == 1 && abs(cosine.factor(4) - 0.5) < 1e-15 && cosine.factor(8) < 1e-15)
    #expect(Schedule(.constant, steps: 8, warmupRatio: 0.5).factor(0) == 1)
    let warm = Schedule(.constantWithWarmup, steps: 8, warmupRatio: 0.5)
    #expect([0, 2, 4, 7].map { warm.factor($0) } == [0, 0.5, 1, 1])
  }
}
