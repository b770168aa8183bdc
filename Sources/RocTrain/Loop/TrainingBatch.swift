import Dispatch
import RocImage
package import RocModel
package import RocTensor
import Synchronization

/// Samples through the model, the loss over all of them, and back.
package struct TrainingBatch {
  private let parts: ModelParts
  private let loss: ScoreLoss
  private let recomputes: Bool
  private let pictures: PictureStore
  private let dropout: Dropout?
  private let slots: Int
  private let isParallel: Bool

  /// - Parameters:
  ///   - parts: The model.
  ///   - loss: Taken over the scores of the whole batch.
  ///   - recomputes: Whether layers are run twice to save memory.
  ///   - pictures: The samples' pictures.
  ///   - dropout: The dropout of low-rank updates.
  ///   - slots: Parts of a batch whose gradients are added up separately: sample i belongs to part
  ///     i mod slots, so that the sums do not depend on threads.
  ///   - isParallel: Whether the parts run at the same time, each on one thread.
  package init(
    parts: ModelParts, loss: ScoreLoss, recomputes: Bool, pictures: PictureStore,
    dropout: Dropout? = nil, slots: Int = 1, isParallel: Bool = false
  ) {
    self.parts = parts
    self.loss = loss
    self.recomputes = recomputes
    self.pictures = pictures
    self.dropout = dropout
    precondition(slots == 1 || dropout == nil, "one key for the dropout of several samples")
    self.slots = slots
    self.isParallel = isParallel && slots > 1
  }

  /// Adds the batch's gradients to those of the trained parameters.
  ///
  /// - Parameters:
  ///   - samples: The batch.
  ///   - scale: Factor of the gradients, 1 / accumulation steps.
  ///   - key: Names the batch, for its dropout.
  /// - Returns: The loss before any update; where it is not finite, no gradient was added.
  /// - Throws: `TrainingError` when a picture cannot be read.
  package func run(
    _ samples: [EncodedSample], scale: Double = 1, key: UInt64 = 0
  ) throws(TrainingError) -> ScoreLoss.Result {
    let passes = Passes(count: samples.count)
    defer { dropout?.key = nil }
    forEachSlot(of: samples.count) { place in
      dropout?.key = key &+ UInt64(place) &* 0x9E37_79B9_7F4A_7C15
      passes.set(
        place,
        Result { () throws(TrainingError) in
          try pass(samples[place], tape: Tape(recomputes: recomputes))
        })
    }
    let ready = try passes.all()
    let result = loss(
      ready.map(\.logits), labels: ready.map(\.labels), tasks: tasks(samples, ready),
      scale: scale)
    guard result.parts.isFinite else { return result }
    forEachSlot(of: samples.count) { place in
      // A sample's backward pass drops what its forward pass dropped.
      dropout?.key = key &+ UInt64(place) &* 0x9E37_79B9_7F4A_7C15
      passes.backward(place)
    }
    return result
  }

  /// Calls `body` for all places below `count`, those of a slot in order.
  private func forEachSlot(of count: Int, _ body: @Sendable (Int) -> Void) {
    @Sendable func run(_ slot: Int) {
      Parameter.withSlot(slot) {
        for place in stride(from: slot, to: count, by: slots) { body(place) }
      }
    }
    if isParallel {
      DispatchQueue.concurrentPerform(iterations: slots, execute: run)
    } else {
      for slot in 0..<slots { run(slot) }
    }
  }

  /// The scores of samples with their answers given, on as many threads as there are slots.
  package func predict(_ samples: [EncodedSample]) throws(TrainingError) -> [[Double]] {
    let scores = Mutex<[Result<[Double], TrainingError>?]>(
      Array(repeating: nil, count: samples.count))
    forEachSlot(of: samples.count) { place in
      let result = Result { () throws(TrainingError) in try predict(samples[place]).scores }
      scores.withLock { $0[place] = result }
    }
    var found: [[Double]] = []
    for result in scores.withLock({ $0 }) {
      if let result { found.append(try result.get()) }
    }
    return found
  }

  /// The scores of one sample with its answer given.
  package func predict(_ sample: EncodedSample) throws(TrainingError) -> ScoreLoss.Result {
    let pass = try pass(sample, tape: nil)
    return loss([pass.logits], labels: [pass.labels], tasks: tasks([sample], [pass]))
  }

  /// The sample's forward pass.
  package func pass(
    _ sample: EncodedSample, tape: Tape?
  ) throws(TrainingError) -> SamplePass {
    do throws(PictureError) {
      // Features of an encoder that is being trained are good for one pass only.
      guard parts.vision.isTrained else {
        let features = try pictures.features(sample.image, parts.vision)
        return SamplePass(
          sample.text, features: features.rows, parts: parts, tape: tape, hasVision: false)
      }
      let features = parts.vision.encode(
        [try pictures.pixels(sample.image)], trace: nil, tape: tape)
      return SamplePass(
        sample.text, features: features, parts: parts, tape: tape, hasVision: tape != nil)
    } catch {
      throw .picture(error, record: sample.number)
    }
  }

  /// The rows that predict `[SCORE]`, each with its score.
  private func tasks(_ samples: [EncodedSample], _ passes: [SamplePass]) -> [ScoreTask] {
    guard let scoreID = parts.readout?.scoreID else { return [] }
    return zip(samples, passes).enumerated().flatMap { index, pair in
      let (sample, pass) = pair
      return zip(pass.rows(predicting: scoreID), sample.scores).enumerated().map { k, task in
        ScoreTask(
          sample: index, row: task.0, score: task.1,
          target: sample.targets.isEmpty ? nil : sample.targets[k])
      }
    }
  }
}

/// The passes of a batch, filled and used by several threads, each in its own places.
private final class Passes: @unchecked Sendable {
  private let passes: Mutex<[Result<SamplePass, TrainingError>?]>

  init(count: Int) { passes = Mutex(Array(repeating: nil, count: count)) }

  func set(_ place: Int, _ result: Result<SamplePass, TrainingError>) {
    let box = Unshared(result)
    passes.withLock { $0[place] = box.value }
  }

  /// All of them, or the first failure.
  func all() throws(TrainingError) -> [SamplePass] {
    var ready: [SamplePass] = []
    for result in passes.withLock({ Unshared($0) }).value {
      if let result { ready.append(try result.get()) }
    }
    return ready
  }

  func backward(_ place: Int) {
    let result = passes.withLock { Unshared($0[place]) }.value
    if case .success(let pass) = result { pass.backward() }
  }
}

/// A value that only one thread uses at a time.
private struct Unshared<Value>: @unchecked Sendable {
  let value: Value

  init(_ value: Value) { self.value = value }
}
