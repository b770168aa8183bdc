package import RocImage
package import RocScore
package import RocTensor
package import RocTokenizer

// Passes without a trace or a tape, as scoring makes them.
extension VisionEncoder {
  package func encode(_ pixels: borrowing Matrix, trace: Trace?) -> Matrix {
    encode(pixels, trace: trace, tape: nil)
  }
}

extension Connector {
  package func connect(_ features: borrowing Matrix, trace: Trace?) -> Matrix {
    connect(features, trace: trace, tape: nil)
  }
}

extension LanguageModel {
  package func run(
    _ rows: consuming Matrix, kinds: [RowKind], cache: KeyValueCache, read: Int, trace: Trace?
  ) -> Matrix {
    run(rows, kinds: kinds, cache: cache, read: read, trace: trace, tape: nil)
  }
}

/// Pixels to one feature vector a patch.
package protocol VisionEncoder: Sendable {
  /// Whether any of its parameters is trained.
  var isTrained: Bool { get }
  /// - Parameters:
  ///   - pixels: [3, edge · edge], normalised.
  ///   - trace: Records the stages when given.
  ///   - tape: Keeps what `backward` needs when given.
  /// - Returns: [tokens, vision width].
  func encode(_ pixels: borrowing Matrix, trace: Trace?, tape: Tape?) -> Matrix
  /// The first layer alone, for measuring: [tokens, vision width] to the same.
  func firstLayer(_ x: consuming Matrix) -> Matrix
  /// Adds to the gradients of all trained parameters, given that of the features.
  func backward(_ gradient: borrowing Matrix, tape: Tape)

  /// Multiplications and additions for a picture.
  var operations: Double { get }
  /// Those of one layer.
  var layerOperations: Double { get }
}

/// Features of a picture to the rows that stand in the prompt.
package protocol Connector: Sendable {
  /// Whether any of its parameters is trained.
  var isTrained: Bool { get }
  /// Rows that a picture takes in the prompt.
  var rows: Int { get }

  /// - Parameters:
  ///   - features: [tokens, vision width].
  ///   - trace: Records the stages when given.
  ///   - tape: Keeps what `backward` needs when given.
  /// - Returns: [rows, language width].
  func connect(_ features: borrowing Matrix, trace: Trace?, tape: Tape?) -> Matrix
  /// Adds to the gradients of all trained parameters, given that of the rows.
  ///
  /// - Returns: The gradient of the features.
  func backward(_ gradient: borrowing Matrix, tape: Tape) -> Matrix

  /// Multiplications and additions for a picture.
  var operations: Double { get }
}

/// A decoder that continues rows of embeddings.
package protocol LanguageModel: Sendable {
  /// The most rows a sequence may have.
  var mostPositions: Int { get }
  /// Rows of the embedding table and of the logits.
  var vocabulary: Int { get }

  /// An empty cache with room for so many rows; it grows when there are more.
  func makeCache(rows: Int) -> KeyValueCache
  /// - Returns: [ids.count, width].
  func embed(_ ids: [Int]) -> Matrix
  /// Runs `rows`, which follow those in `cache`, and adds their keys and values to it.
  ///
  /// - Parameters:
  ///   - rows: [T, width].
  ///   - kinds: Which rows stand for text and which for a picture; together T.
  ///   - cache: Keys and values of all rows before.
  ///   - read: How many of the last rows are wanted.
  ///   - trace: Records the stages of all rows when given.
  ///   - tape: Keeps what `backward` needs when given; the cache must have been empty.
  /// - Returns: Hidden states of the wanted rows after the final norm, [read, width].
  func run(
    _ rows: consuming Matrix, kinds: [RowKind], cache: KeyValueCache, read: Int, trace: Trace?,
    tape: Tape?
  ) -> Matrix
  /// The first layer alone, for measuring: as `run`, but the cache stays as long as it is.
  func firstLayer(_ rows: consuming Matrix, kinds: [RowKind], cache: KeyValueCache) -> Matrix
  /// Adds to the gradients of all trained parameters, given that of the wanted hidden states.
  ///
  /// - Returns: The gradient of `rows`.
  func backward(_ gradient: borrowing Matrix, tape: Tape) -> Matrix
  /// Adds to the gradient of the embedding table, given that of some rows.
  func embedBackward(_ gradient: borrowing Matrix, ids: [Int])
  /// Logits for rows of hidden states, [rows, vocabulary].
  func logits(_ hidden: borrowing Matrix) -> Matrix
  /// Adds to the gradient of the head, given that of the logits of `hidden`.
  ///
  /// - Returns: The gradient of `hidden`.
  func logitsBackward(_ gradient: borrowing Matrix, of hidden: borrowing Matrix) -> Matrix

  /// Multiplications and additions for the products of `rows` rows of which the last is read.
  func operations(rows: Int) -> Double
  /// Those of one layer for `rows` rows that are all read.
  func layerOperations(rows: Int) -> Double
}

/// A stretch of rows of one modality.
package enum RowKind: Sendable, Equatable {
  case text(Int)
  case picture(Int)

  package var count: Int {
    switch self {
    case .text(let count), .picture(let count): count
    }
  }
}

/// How a question becomes a prompt.
package protocol PromptTemplate: Sendable {
  /// What stands for a picture in a prompt.
  var mark: String { get }
  /// The prompt that asks `question` about one picture.
  func prompt(_ question: String) -> String
}

/// Where in the vocabulary scores are read, and what they mean.
package struct ScoreReadout: Sendable {
  /// `[SCORE]`.
  package let scoreID: Int
  /// The last N logits are the score tokens'.
  package let tokens: Int
  package let axis: ScoreAxis

  /// The same tokens on another scale.
  package func onScale(low: Double, high: Double) -> ScoreReadout {
    ScoreReadout(
      scoreID: scoreID, tokens: tokens,
      axis: ScoreAxis(low: low, high: high, count: axis.values.count))
  }
}

/// The parts of one loaded model.
package struct ModelParts: Sendable {
  package let vision: any VisionEncoder
  package let connector: any Connector
  package let language: any LanguageModel
  package let template: any PromptTemplate
  package let tokenizer: Tokenizer
  package let preprocessing: Preprocessing
  /// Nil for a model without score tokens.
  package var readout: ScoreReadout?
  /// The parameters that are trained, in the order of the network; none when scoring.
  package let trained: [TrainedTensor]
}
