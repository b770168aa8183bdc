import RocCheckpoint
import RocImage
import RocScore
package import RocTensor
import RocTokenizer
import Synchronization

/// A loaded model that answers questions about pictures.
package final class Engine: Sendable {
  /// The question that ROC4MLLM is trained with.
  package static let defaultQuestion = "Please rate the aesthetics of the image."
  /// The version of roc, which stands for that of the arithmetic in every stored run.
  package static let version = "0.1.0"
  /// The official code stops here, too.
  static let mostTokens = 512
  static let imageID = -200

  package let parts: ModelParts
  package let compute: Compute
  private let prompts = Mutex<[String: PreparedPrompt]>([:])

  /// A prompt's token ids around the picture, and the state after the text before it.
  private struct PreparedPrompt: Sendable {
    let tail: [Int]
    let head: KeyValueCache
  }

  package init(_ loader: ModelLoader, compute: Compute) throws(ModelError) {
    parts = try loader.load()
    self.compute = compute
  }

  /// Loads a checkpoint folder with default settings.
  ///
  /// - Parameters:
  ///   - folder: Has config.json, weights, tokenizer and preprocessor files.
  ///   - threads: All cores when nil.
  ///   - instructionSet: Kernels to use; the fastest when nil.
  /// - Throws: `ModelError` that names what is wrong with the folder or the settings.
  package convenience init(
    folder: String, threads: Int? = nil, instructionSet: String? = nil
  ) throws(ModelError) {
    let compute = try Self.compute(threads: threads, instructionSet: instructionSet)
    try self.init(try ModelLoader(folder: folder, compute: compute), compute: compute)
  }

  /// Kernels and threads; a set that the CPU lacks is a request that cannot be met.
  package static func compute(
    threads: Int? = nil, instructionSet: String? = nil
  ) throws(ModelError) -> Compute {
    do throws(ComputeError) {
      return try Compute(threads: threads ?? coreCount(), instructionSet: instructionSet)
    } catch {
      throw .request(error.description)
    }
  }

  /// Token ids of the prompt for a question; -200 stands for the picture.
  package func promptIDs(_ question: String) -> [Int] {
    parts.tokenizer.encode(
      parts.template.prompt(question), splitAt: parts.template.mark, imageID: Self.imageID)
  }

  /// Prepares a question, so that one that cannot be asked is refused before any picture is read.
  package func check(question: String) throws(ModelError) {
    _ = try prepared(question, opening: "", rows: parts.connector.rows)
  }

  /// Asks a question about a picture and decodes greedily.
  ///
  /// - Parameters:
  ///   - pixels: [3, edge · edge] from `parts.preprocessing`.
  ///   - question: Without the picture mark; the trained one by default.
  ///   - decimals: Digits of the score in the text.
  ///   - opening: Answer text that is given, not generated; it directly follows the prompt.
  ///   - mostTokens: Where generation stops at the latest.
  ///   - trace: Records every stage when given; the prompt is then run in one piece.
  /// - Returns: Scores, distributions and text.
  /// - Throws: `ModelError.request` for a prompt that is too long or holds a picture mark.
  package func answer(
    _ pixels: borrowing Matrix, question: String = Engine.defaultQuestion, decimals: Int = 4,
    opening: String = "", mostTokens: Int = Engine.mostTokens, trace: Trace? = nil
  ) throws(ModelError) -> Answer {
    trace?.record("pixel_values", pixels)
    let features = parts.vision.encode(pixels, trace: trace)
    trace?.record("vision", features)
    let picture = parts.connector.connect(features, trace: trace)
    trace?.record("abstractor", picture)
    let cache = parts.language.makeCache()
    let hidden = try prefill(picture, question, opening: opening, cache: cache, trace: trace)
    var decoding = GreedyDecoding(parts: parts, most: mostTokens)
    decoding.run(from: hidden, cache: cache, trace: trace)
    return decoding.answer(decimals: decimals, compute: compute)
  }

  private func prefill(
    _ picture: borrowing Matrix, _ question: String, opening: String, cache: KeyValueCache,
    trace: Trace?
  ) throws(ModelError) -> Matrix {
    let prompt = try prepared(question, opening: opening, rows: picture.rows)
    let language = parts.language
    let tail = language.embed(prompt.tail)
    if trace == nil {
      cache.start(with: prompt.head)
      let rows = joined(picture, tail)
      let kinds: [RowKind] = [.picture(picture.rows), .text(tail.rows)]
      return language.run(rows, kinds: kinds, cache: cache, trace: nil)
    }
    let ids = promptIDs(question)
    let head = language.embed(Array(ids.prefix { $0 != Self.imageID }))
    let rows = joined(joined(head, picture), tail)
    trace?.record("embeddings", rows)
    let kinds: [RowKind] = [.text(head.rows), .picture(picture.rows), .text(tail.rows)]
    return language.run(rows, kinds: kinds, cache: cache, trace: trace)
  }

  /// The text before the picture is the same for every picture: it is run once.
  private func prepared(
    _ question: String, opening: String, rows: Int
  ) throws(ModelError) -> PreparedPrompt {
    let key = question + "\u{0}" + opening
    if let known = prompts.withLock({ $0[key] }) { return known }
    let mark = parts.template.mark
    guard !question.contains(mark), !opening.contains(mark) else {
      throw .request("the question must not contain \(mark); the picture stands before it")
    }
    let ids = parts.tokenizer.encode(
      parts.template.prompt(question) + opening, splitAt: mark, imageID: Self.imageID)
    let head = Array(ids.prefix { $0 != Self.imageID })
    let tail = Array(ids.dropFirst(head.count + 1))
    let length = head.count + rows + tail.count
    guard length < parts.language.mostPositions else {
      throw .request(
        """
        the prompt takes \(length) positions and the model has \
        \(parts.language.mostPositions); shorten the question
        """)
    }
    let cache = parts.language.makeCache()
    _ = parts.language.run(
      parts.language.embed(head), kinds: [.text(head.count)], cache: cache, trace: nil)
    let prompt = PreparedPrompt(tail: tail, head: cache)
    prompts.withLock { $0[key] = prompt }
    return prompt
  }

  private func joined(_ a: borrowing Matrix, _ b: borrowing Matrix) -> Matrix {
    let rows = Matrix(rows: a.rows + b.rows, columns: a.columns)
    rows.values.update(from: a.values, count: a.count)
    (rows.values + a.count).update(from: b.values, count: b.count)
    return rows
  }
}
