import RocScore
import RocTensor
import RocTokenizer

/// Greedy decoding to `</s>`, remembering the logits wherever `[SCORE]` was chosen.
struct GreedyDecoding {
  private let parts: ModelParts
  private let most: Int
  private var ids: [Int] = []
  private var scoreSteps: [Int] = []
  private var scoreLogits: [[Float]] = []
  /// The weights or the picture gave something that is no number; decoding stopped there.
  private var isBroken = false

  init(parts: ModelParts, most: Int) {
    self.parts = parts
    self.most = most
  }

  /// - Parameters:
  ///   - hidden: The prompt's hidden states; the last row predicts the first token.
  ///   - cache: Holds the prompt's rows.
  ///   - trace: Records the first step's logits when given.
  mutating func run(from hidden: consuming Matrix, cache: KeyValueCache, trace: Trace?) {
    var hidden = hidden
    let end = parts.tokenizer.endID
    while ids.count < most {
      let logits = parts.language.logits(hidden, row: hidden.rows - 1)
      if ids.isEmpty {
        trace?.record("logits.prompt", Matrix(rows: 1, columns: logits.count, logits))
      }
      guard logits.allSatisfy(\.isFinite) else {
        isBroken = true
        return
      }
      let id = Self.largest(logits)
      if id == parts.readout.scoreID {
        scoreSteps.append(ids.count)
        scoreLogits.append(logits)
        trace?.record(
          "logits.score.\(scoreSteps.count - 1)",
          Matrix(rows: 1, columns: logits.count, logits))
      }
      ids.append(id)
      guard id != end, cache.count < parts.language.mostPositions else { return }
      hidden = parts.language.run(
        parts.language.embed([id]), kinds: [.text(1)], cache: cache, trace: nil)
    }
  }

  /// The first of the largest values.
  private static func largest(_ logits: [Float]) -> Int {
    var best = 0
    for (i, value) in logits.enumerated() where value > logits[best] { best = i }
    return best
  }

  /// Scores and text of what was decoded.
  func answer(decimals: Int, compute: Compute) -> Answer {
    let distributions = scoreLogits.map {
      compute.softmax(Array($0.suffix(parts.readout.tokens)))
    }
    let scores = distributions.map { Double(parts.readout.axis.expectation(of: $0)) }
    return Answer(
      text: text(score: scores.first, decimals: decimals), scores: scores,
      distributions: distributions.map { $0.map(Double.init) }, outputIDs: ids,
      scoreSteps: scoreSteps, isFinite: !isBroken)
  }

  private func text(score: Double?, decimals: Int) -> String {
    let tokenizer = parts.tokenizer
    guard let score, let step = scoreSteps.first else {
      return trimmed(tokenizer.decode(ids))
    }
    let before = tokenizer.decode(Array(ids[..<step]))
    let after = tokenizer.decode(Array(ids[(step + 1)...]))
    return "\(before) \(rounded(score, decimals: decimals)) \(after)"
  }

  private func trimmed(_ text: String) -> String {
    var result = String.UnicodeScalarView()
    result.append(
      contentsOf: text.unicodeScalars.drop(while: isPythonSpace).reversed()
        .drop(while: isPythonSpace).reversed())
    return String(result)
  }
}
