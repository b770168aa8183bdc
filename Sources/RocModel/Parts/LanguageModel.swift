package import RocTensor

/// A decoder that continues rows of embeddings.
package protocol LanguageModel: Sendable {
  /// The most rows a sequence may have.
  var maxPositions: Int { get }
  /// Rows of the embedding table and of the logits.
  var vocabulary: Int { get }

  /// An empty cache with room for `rows` rows; it grows when there are more.
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
  /// - Returns: Hidden states of the wanted rows after the final norm, [the sum of wanted, width].
  func run(
    _ rows: consuming Matrix, _ batch: [SequenceRows], trace: Trace?, tape: Tape?
  ) -> Matrix
  /// The first layer alone, for measuring: like `run` of one sequence, but the cache's length does
  /// not change.
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

/// The rows that a pass adds to one sequence.
package struct SequenceRows {
  /// Which of them stand for text and which for a picture, in order.
  package let kinds: [RowSpan]
  /// Keys and values of all rows before, to which theirs are added.
  package let cache: KeyValueCache
  /// How many of the last ones are wanted.
  package let wanted: Int

  package init(_ kinds: [RowSpan], cache: KeyValueCache, wanted: Int) {
    self.kinds = kinds
    self.cache = cache
    self.wanted = wanted
  }

  package var count: Int { kinds.reduce(0) { $0 + $1.count } }
}

/// Consecutive rows of one modality.
package enum RowSpan: Sendable, Equatable {
  case text(Int)
  /// Of one picture, with their places in it where they have any.
  case picture(Int, PictureGrid?)

  package var count: Int {
    switch self {
    case .text(let count), .picture(let count, _): count
    }
  }

  /// Positions that it takes where rows of pictures lie in grids: for a picture, the longer side of
  /// its grid (Qwen2-VL, https://arxiv.org/abs/2409.12191, section 2.1).
  package var positions: Int {
    guard case .picture(_, let grid?) = self else { return count }
    return max(grid.rows, grid.columns)
  }
}

// A pass without a tape, as scoring makes it.
extension LanguageModel {
  package func run(
    _ rows: consuming Matrix, _ batch: [SequenceRows], trace: Trace?
  ) -> Matrix {
    run(rows, batch, trace: trace, tape: nil)
  }
}
