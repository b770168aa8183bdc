import RocScore
import RocTensor
import RocTokenizer

/// Greedy decoding to the end of the answer, remembering the logits wherever `[SCORE]` was chosen.
struct GreedyDecoding {
  private let parts: ModelParts
  private let readout: ScoreReadout
  private let maxTokens: Int
  private var ids: [Int] = []
  private var scoreSteps: [Int] = []
  private var scoreLogits: [[Float]] = []
  /// The weights or the picture gave something infinite or NaN; decoding stopped there.
  private var isBroken = false

  init(parts: ModelParts, readout: ScoreReadout, maxTokens: Int) {
    self.parts = parts
    self.readout = readout
    self.maxTokens = maxTokens
  }

  /// - Parameters:
  ///   - hidden: Hidden states of the prompt's last row, which predicts the first token, and of
  ///     each token of `draft`.
  ///   - draft: Expected tokens, whose keys and values are in the cache already. One is accepted
  ///     where it is what greedy decoding chooses; at the first other token decoding goes on by
  ///     itself, so the answer does not depend on the draft.
  ///   - cache: Holds the rows of prompt and draft.
  ///   - trace: Records the logits of the first step and of every `[SCORE]` when given.
  mutating func run(
    from hidden: consuming Matrix, draft: [Int], cache: KeyValueCache, trace: Trace?
  ) {
    let prompt = cache.count - draft.count
    var logits = parts.language.logits(hidden)
    var row = 0
    while ids.count < maxTokens {
      let values = logits.rowArray(row)
      if ids.isEmpty {
        trace?.record("logits.prompt", values)
      }
      guard let id = choose(values, trace: trace) else { return }
      ids.append(id)
      let rows = prompt + ids.count - 1
      guard !parts.endIDs.contains(id), rows < parts.language.maxPositions else { return }
      if row < draft.count, row == ids.count - 1, draft[row] == id {
        row += 1
        continue
      }
      guard ids.count < maxTokens else { return }
      // The cache may hold rows of a draft that was not accepted.
      cache.truncate(to: rows)
      let next = parts.language.run(
        parts.language.embed([id]), [SequenceRows([.text(1)], cache: cache, wanted: 1)], trace: nil)
      logits = parts.language.logits(next)
      row = 0
    }
  }

  /// The likeliest token; nil when a logit is infinite or NaN.
  private mutating func choose(_ logits: [Float], trace: Trace?) -> Int? {
    guard logits.allSatisfy(\.isFinite) else {
      isBroken = true
      return nil
    }
    let id = Self.largest(logits)
    if id == readout.scoreID {
      scoreSteps.append(ids.count)
      scoreLogits.append(logits)
      trace?.record("logits.score.\(scoreSteps.count - 1)", logits)
    }
    return id
  }

  /// The first of the largest values.
  private static func largest(_ logits: [Float]) -> Int {
    var best = 0
    for (i, value) in logits.enumerated() where value > logits[best] { best = i }
    return best
  }

  /// Scores and text of what was decoded.
  func answer(decimals: Int, compute: Compute) -> Answer {
    let distributions = scoreLogits.map { compute.softmax(Array($0[readout.ids])) }
    let scores = distributions.map { Double(readout.axis.expectation(of: $0)) }
    return Answer(
      text: text(score: scores.first, decimals: decimals), scores: scores,
      distributions: distributions.map { $0.map(Double.init) }, outputIDs: ids,
      scoreSteps: scoreSteps, isFinite: !isBroken)
  }

  private func text(score: Double?, decimals: Int) -> String {
    let tokenizer = parts.tokenizer
    guard let score, let step = scoreSteps.first else {
      return tokenizer.decode(ids).strippedOfPythonSpace
    }
    let before = tokenizer.decode(Array(ids[..<step]))
    let after = tokenizer.decode(Array(ids[(step + 1)...]))
    // Where the blank before `[SCORE]` is a token of its own, it is there already.
    if !parts.template.doublesBlanks, before.utf8.last == UInt8(ascii: " ") {
      return "\(before)\(rounded(score, decimals: decimals)) \(after)"
    }
    return "\(before) \(rounded(score, decimals: decimals)) \(after)"
  }
}
