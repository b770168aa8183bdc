package import RocImage
package import RocScore
package import RocTensor
package import RocTokenizer

// Passes without a tape, as scoring makes them.
extension VisionEncoder {
  package func encode(_ pictures: [Pixels], trace: Trace?) -> PictureRows {
    encode(pictures, trace: trace, tape: nil)
  }
}

extension Connector {
  package func connect(_ features: borrowing PictureRows, trace: Trace?) -> PictureRows {
    connect(features, trace: trace, tape: nil)
  }
}

extension LanguageModel {
  package func run(
    _ rows: consuming Matrix, _ batch: [SequenceRows], trace: Trace?
  ) -> Matrix {
    run(rows, batch, trace: trace, tape: nil)
  }
}

/// What parts make of pictures: the rows of all of them, one after another.
package struct PictureRows: ~Copyable {
  /// [the sum of counts, width].
  package let matrix: Matrix
  /// Rows of each picture.
  package let counts: [Int]

  package init(_ matrix: consuming Matrix, counts: [Int]) {
    precondition(counts.reduce(0, +) == matrix.rows, "\(counts) rows of \(matrix.rows)")
    self.matrix = matrix
    self.counts = counts
  }

  /// The rows of one picture.
  package func picture(_ place: Int) -> Range<Int> {
    let start = counts[..<place].reduce(0, +)
    return start..<start + counts[place]
  }
}

/// Pixels to one feature vector a patch.
package protocol VisionEncoder: Sendable {
  /// Whether any of its parameters is trained.
  var isTrained: Bool { get }
  /// - Parameters:
  ///   - pictures: Prepared; a batch of them shares the weights that are read.
  ///   - trace: Records the stages when given.
  ///   - tape: Keeps what `backward` needs when given; of one picture.
  /// - Returns: [tokens, vision width] of each picture.
  func encode(_ pictures: [Pixels], trace: Trace?, tape: Tape?) -> PictureRows
  /// The first layer alone, for measuring: [tokens, vision width] of a picture to the same.
  func firstLayer(_ x: consuming Matrix) -> Matrix
  /// Adds to the gradients of all trained parameters, given that of the features.
  func backward(_ gradient: borrowing Matrix, tape: Tape)

  /// Multiplications and additions for a picture.
  var operations: Double { get }
  /// Those of one layer.
  var layerOperations: Double { get }
}

/// Features of pictures to the rows that stand in the prompts.
package protocol Connector: Sendable {
  /// Whether any of its parameters is trained.
  var isTrained: Bool { get }

  /// - Parameters:
  ///   - features: [tokens, vision width] of each picture.
  ///   - trace: Records the stages when given.
  ///   - tape: Keeps what `backward` needs when given; of one picture.
  /// - Returns: [rows, language width] of each picture.
  func connect(_ features: borrowing PictureRows, trace: Trace?, tape: Tape?) -> PictureRows
  /// Adds to the gradients of all trained parameters, given that of the rows.
  ///
  /// - Returns: The gradient of the features.
  func backward(_ gradient: borrowing Matrix, tape: Tape) -> Matrix

  /// Multiplications and additions for a picture.
  var operations: Double { get }
}

/// The rows that a pass adds to one sequence.
package struct SequenceRows {
  /// Which of them stand for text and which for a picture, in order.
  package let kinds: [RowKind]
  /// Keys and values of all rows before, to which theirs are added.
  package let cache: KeyValueCache
  /// How many of the last ones are wanted.
  package let read: Int

  package init(_ kinds: [RowKind], cache: KeyValueCache, read: Int) {
    self.kinds = kinds
    self.cache = cache
    self.read = read
  }

  package var count: Int { kinds.reduce(0) { $0 + $1.count } }
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
  /// Runs rows that continue sequences, and adds their keys and values to the caches.
  ///
  /// - Parameters:
  ///   - rows: [T, width], those of one sequence after those of another.
  ///   - batch: The sequences; together T rows.
  ///   - trace: Records the stages of all rows when given.
  ///   - tape: Keeps what `backward` needs when given; of one sequence whose cache was empty.
  /// - Returns: Hidden states of the wanted rows after the final norm, [the sum of read, width].
  func run(
    _ rows: consuming Matrix, _ batch: [SequenceRows], trace: Trace?, tape: Tape?
  ) -> Matrix
  /// The first layer alone, for measuring: as `run` of one sequence, but the cache stays as long as
  /// it is.
  func firstLayer(_ rows: consuming Matrix, _ sequence: SequenceRows) -> Matrix
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

/// How questions and answers are spelled.
package protocol PromptTemplate: Sendable {
  /// What stands for a picture in a prompt.
  var mark: String { get }
  /// What stands between a question and its answer in a whole conversation.
  var answerStart: String { get }
  /// What stands after every answer; the tokenizer makes one token of it.
  var answerEnd: String { get }
  /// The prompt that asks `question` about one picture.
  func prompt(_ question: String) -> String
  /// The text of a whole conversation, from which the model is to learn its answers.
  ///
  /// - Parameter turns: In order, each with its picture mark where it is to stand.
  /// - Returns: The text; a turn without words leaves only its speaker's name, with nothing behind.
  func conversation(_ turns: [Turn]) -> String
}

/// Where in the vocabulary scores are read, and what they mean.
package struct ScoreReadout: Sendable {
  /// `[SCORE]`.
  package let scoreID: Int
  /// The logits of the score tokens, from the lowest score to the highest.
  package let ids: Range<Int>
  package let axis: ScoreAxis

  package init(scoreID: Int, ids: Range<Int>, axis: ScoreAxis) {
    self.scoreID = scoreID
    self.ids = ids
    self.axis = axis
  }

  /// How many score tokens there are.
  package var tokens: Int { ids.count }

  /// The same tokens on another scale.
  package func onScale(low: Double, high: Double) -> ScoreReadout {
    ScoreReadout(
      scoreID: scoreID, ids: ids,
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
  /// Rows that a picture takes in a prompt, at the least.
  package let pictureRows: Int
  package let names: TensorNames
  /// The device that they are on.
  package let compute: Compute
  /// Nil for a model without score tokens.
  package var readout: ScoreReadout?
  /// The parameters that are trained, in the order of the network; none when scoring.
  package let trained: [TrainedTensor]
}
