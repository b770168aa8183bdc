package import RocModel
import RocTensor
import RocTokenizer

/// One sample's way through the model and back, in the same parts that score.
///
/// Letters: T = rows of the sequence, the picture's included; R = taught tokens; D = width.
package final class SamplePass {
  private let parts: ModelParts
  private let tape: Tape?
  private let segments: Segments
  /// Rows computed to the end, and which of them predict taught tokens.
  private let read: Int
  private let places: [Int]
  /// Hidden states of the taught rows, [R, D].
  private let hidden: Matrix
  private var compute: Compute { parts.compute }
  /// What each taught row is to predict.
  package let labels: [Int]
  /// [R, vocabulary]; the loss turns them into their gradients.
  package let logits: Logits
  /// Whether the vision encoder left records on the tape.
  private let hasVision: Bool

  /// What stands where in the sequence.
  private struct Segments {
    let head: [Int]
    let picture: RowSpan
    let tail: [Int]

    var kinds: [RowSpan] { [.text(head.count), picture, .text(tail.count)] }
    var rows: Int { head.count + picture.count + tail.count }
  }

  /// Runs a sample forward.
  ///
  /// - Parameters:
  ///   - text: Ids and labels; at least one token is taught.
  ///   - features: The picture's features, [tokens, vision width].
  ///   - parts: The model.
  ///   - tape: Keeps what `backward` needs; nil when only the result is wanted. Where the vision
  ///     encoder is trained, `features` were computed with the same tape.
  ///   - hasVision: Whether `features` were computed with `tape`.
  package init(
    _ text: TrainingText, features: borrowing PictureRows, parts: ModelParts, tape: Tape?,
    hasVision: Bool
  ) {
    let connected = parts.connector.connect(features, trace: nil, tape: tape)
    let rows = connected.matrix.copy()
    let mark = text.picturePositions.first ?? 0
    // Nothing after the last row that predicts a taught token has any influence.
    let taught = text.labels.indices.filter { text.labels[$0] != nil }
    let end = taught.last ?? 1
    let segments = Segments(
      head: Array(text.ids[..<mark]), picture: connected.span(0),
      tail: Array(text.ids[(mark + 1)..<end]))
    let extra = rows.rows - 1
    let predicting = taught.map { $0 - 1 < mark ? $0 - 1 : $0 - 1 + extra }
    let first = predicting.first ?? 0
    read = segments.rows - first
    places = predicting.map { $0 - first }
    labels = taught.compactMap { text.labels[$0] }

    let language = parts.language
    let head = language.embed(segments.head)
    let tail = language.embed(segments.tail)
    let compute = parts.compute
    let x = compute.matrix(segments.rows, rows.columns)
    compute.copy(head, into: x)
    compute.copy(rows, into: x, at: head.rows)
    compute.copy(tail, into: x, at: head.rows + rows.rows)
    let cache = language.makeCache(rows: segments.rows)
    if let unknown = parts.template.teaching.hiddenID(parts.tokenizer),
      segments.head.contains(unknown) || segments.tail.contains(unknown)
    {
      cache.masked =
        segments.head.map { $0 == unknown ? 1 : 0 } + [UInt8](repeating: 0, count: rows.rows)
        + segments.tail.map { $0 == unknown ? 1 : 0 }
    }
    let states = language.run(
      x, [SequenceRows(segments.kinds, cache: cache, wanted: read)], trace: nil, tape: tape)
    let hidden = compute.matrix(places.count, states.columns)
    for (row, place) in places.enumerated() {
      compute.copy(states, rows: place..<place + 1, into: hidden, at: row)
    }
    let vocabulary = language.vocabulary
    logits = Logits(
      language.logits(hidden), scores: parts.readout?.ids ?? vocabulary..<vocabulary)
    self.hidden = hidden
    self.parts = parts
    self.tape = tape
    self.segments = segments
    self.hasVision = hasVision
  }

  /// The rows of `logits` that predict `id`.
  package func rows(predicting id: Int) -> [Int] { labels.indices.filter { labels[$0] == id } }

  /// The hidden state of a taught row, [D].
  package func state(_ row: Int) -> [Float] { hidden.rowArray(row) }

  /// Adds to the gradients of all trained parameters, once `logits` hold their gradients.
  package func backward() {
    guard let tape else { preconditionFailure("a pass without a tape has no way back") }
    let language = parts.language
    let dHidden = language.logitsBackward(logits.matrix(compute), of: hidden)
    let dStates = compute.zeros(read, dHidden.columns)
    for (row, place) in places.enumerated() {
      compute.copy(dHidden, rows: row..<row + 1, into: dStates, at: place)
    }
    let d = language.backward(dStates, tape: tape)
    let (head, picture) = (segments.head.count, segments.picture.count)
    language.embedBackward(d.copy(rows: 0..<head), ids: segments.head)
    language.embedBackward(d.copy(rows: head + picture..<d.rows), ids: segments.tail)
    guard parts.connector.isTrained || hasVision else { return tape.clear() }
    let dFeatures = parts.connector.backward(d.copy(rows: head..<head + picture), tape: tape)
    if hasVision { parts.vision.backward(dFeatures, tape: tape) }
    precondition(tape.isEmpty, "records were left on the tape")
  }
}
