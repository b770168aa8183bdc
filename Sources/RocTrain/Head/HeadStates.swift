import RocDigest
import RocImage
package import RocModel
package import RocStore
import RocTensor
import RocTokenizer

/// The hidden states at which a frozen model says its scores: computed once, kept in the database.
package struct HeadStates {
  /// One score to be learned.
  package struct Item: Sendable {
    /// After the final norm, [width].
    package let state: [Float]
    package let score: Double
    package let target: [Double]?
    /// The record's place in its file, from 1.
    package let record: Int
  }

  private let parts: ModelParts
  private let scoreID: Int
  private let checkpoint: String
  private let context: String
  private let store: Store
  private let pictures: PictureStore
  private let batch: TrainingBatch
  private let width: Int

  /// - Parameters:
  ///   - parts: The model, frozen.
  ///   - readout: Its score tokens.
  ///   - checkpoint: Its SHA-256.
  ///   - arithmetic: What else decides the states: precision, kernels.
  ///   - store: Keeps them.
  ///   - pictures: The samples' pictures.
  ///   - width: The width of a hidden state.
  package init(
    parts: ModelParts, readout: ScoreReadout, checkpoint: String, arithmetic: String,
    store: Store, pictures: PictureStore, width: Int
  ) {
    self.width = width
    self.parts = parts
    scoreID = readout.scoreID
    self.checkpoint = checkpoint
    context = "\(Engine.version)\n\(arithmetic)\n\(parts.preprocessing.summary)\n"
    self.store = store
    self.pictures = pictures
    batch = TrainingBatch(
      parts: parts,
      loss: ScoreLoss(axis: readout.axis, weights: LossWeights(l1: 0, ce: 0, emd: 0)),
      recomputes: false, pictures: pictures)
  }

  /// The states of all scores of all samples, in their order.
  ///
  /// - Parameters:
  ///   - samples: With their answers, which decide where a score is said.
  ///   - progress: Called with how many samples are done and how many of them the model had to see;
  ///     false stops.
  /// - Returns: Nil when it was stopped; what was computed is kept.
  /// - Throws: `TrainingError` for a picture that cannot be read, `StoreError` for the database.
  package func items(
    of samples: [EncodedSample], progress: (Int, Int) -> Bool
  ) throws -> [Item]? {
    let inputs = try samples.map(inputs)
    var states = try store.hiddenStates(
      checkpoint: checkpoint, inputs: inputs.flatMap { $0 })
    var waiting: [String: [Float]] = [:]
    var computed = 0
    for (place, sample) in samples.enumerated() {
      if inputs[place].contains(where: { states[$0] == nil }) {
        let pass = try batch.pass(sample, tape: nil)
        for (input, row) in zip(inputs[place], pass.rows(predicting: scoreID)) {
          states[input] = pass.state(row)
          waiting[input] = pass.state(row)
        }
        computed += 1
      }
      let goesOn = progress(place + 1, computed)
      if waiting.count >= 32 || !goesOn || place + 1 == samples.count {
        try store.keep(waiting, checkpoint: checkpoint)
        waiting = [:]
      }
      guard goesOn else { return nil }
    }
    var items: [Item] = []
    for (sample, inputs) in zip(samples, inputs) {
      for (k, input) in inputs.enumerated() {
        guard let state = states[input], state.count == width else {
          throw TrainingError.state(
            """
            record \(sample.number): the database has \(states[input]?.count ?? 0) values as its \
            hidden state, expected \(width); use another --db
            """)
        }
        items.append(
          Item(
            state: state, score: sample.scores[k],
            target: sample.targets.isEmpty ? nil : sample.targets[k], record: sample.number))
      }
    }
    return items
  }

  /// Makes sure that the model says `[SCORE]` where a sample has it: rows of score tokens are of no
  /// use to one that does not.
  ///
  /// - Throws: `TrainingError` when it says something else.
  package func check(_ sample: EncodedSample) throws(TrainingError) {
    let pass = try batch.pass(sample, tape: nil)
    for row in pass.rows(predicting: scoreID) {
      let said = pass.logits.withRow(row) { logits in
        logits.indices.max { logits[$0] < logits[$1] } ?? 0
      }
      guard said != scoreID else { continue }
      throw .request(
        """
        record \(sample.number): the model says \(parts.tokenizer.decode([said], skipSpecial: false)) \
        where the answer has [SCORE], and --train head does not teach it to; train with --train \
        lora or full first
        """)
    }
  }

  /// Names what each score's state is computed from: the picture's contents and the text before it.
  private func inputs(_ sample: EncodedSample) throws(TrainingError) -> [String] {
    guard let picture = pictures.digest(sample.image) else {
      throw .request("record \(sample.number): \(sample.image) cannot be read")
    }
    return sample.text.positions(teaching: scoreID).map { place in
      SHA256.of("\(context)\(picture)\n\(sample.text.ids[..<place])")
    }
  }
}
