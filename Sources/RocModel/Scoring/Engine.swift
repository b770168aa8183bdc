import RocCheckpoint
import RocFiles
package import RocImage
import RocNames
import RocScore
package import RocTensor
import RocTokenizer

/// A loaded model that answers questions about pictures.
package final class Engine: Sendable {
  /// The question that ROC4MLLM is trained with.
  package static let defaultQuestion = "Please rate the aesthetics of the image."
  /// What a trained model answers to it, to the last blank.
  package static let defaultAnswer = "The aesthetic rate of the image is [SCORE]. "
  /// The version of roc, which stands for that of the arithmetic in every stored run.
  package static let version = rocVersion
  /// The official code stops here, too.
  package static let maxTokens = 512
  /// Stands for the picture among token ids, as in the official code.
  package static let imageID = -200

  package let parts: ModelParts
  package let compute: Compute
  package let precision: Precision
  let levelIDs: [Int]
  /// Bytes of weights that one decoding step reads.
  let languageBytes: Int
  private let prompts: PreparedPrompts

  package init(_ loader: ModelLoader, compute: Compute) throws(ModelError) {
    let parts = try loader.load()
    self.parts = parts
    self.compute = compute
    precision = loader.precision
    languageBytes = loader.decodingBytes
    prompts = PreparedPrompts(parts)
    // The first piece of each word, as it continues a text.
    levelIDs = LevelScoring.words.compactMap { word in
      parts.tokenizer.encodeWithoutBegin(parts.template.wordSeparator + word).first
    }
  }

  /// Loads a checkpoint folder with default settings.
  ///
  /// - Parameters:
  ///   - folder: Has config.json, weights, tokenizer and preprocessor files.
  ///   - threads: All cores when nil.
  ///   - instructionSet: Kernels to use; the fastest when nil.
  ///   - precision: `auto` when nil: bf16 where the CPU multiplies it natively, else f32.
  /// - Throws: `ModelError` that names what is wrong with the folder or the settings.
  package convenience init(
    folder: String, threads: Int? = nil, instructionSet: String? = nil,
    precision: Precision? = .f32
  ) throws(ModelError) {
    let compute = try Self.compute(threads: threads, instructionSet: instructionSet)
    try self.init(
      try ModelLoader(folder: folder, compute: compute, precision: precision), compute: compute)
  }

  /// Kernels and threads; a set that the CPU lacks is a request that cannot be met.
  package static func compute(
    threads: Int? = nil, instructionSet: String? = nil
  ) throws(ModelError) -> Compute {
    do throws(ComputeError) {
      return try Compute(threads: threads ?? coreCount(), instructionSet: instructionSet)
    } catch .threads(let count) {
      throw .machine(ComputeError.threads(count).description)
    } catch {
      throw .request(error.description)
    }
  }

  /// Token ids of the prompt for a question; -200 stands for the picture.
  package func promptIDs(_ question: String) -> [Int] {
    parts.template.ids(parts.template.prompt(question), parts.tokenizer)
  }

  /// Prepares a question, so that one that cannot be asked is refused before any picture is read.
  package func check(_ mode: ScoringMode) throws(ModelError) {
    if case .levels = mode { try checkLevels() }
    _ = try prompts.prompt(try text(mode))
  }

  /// Asks a question about a picture and decodes greedily.
  ///
  /// - Parameters:
  ///   - pixels: From `parts.preprocessing`.
  ///   - request: What is asked, and how the answer is decoded.
  ///   - trace: Records every stage when given; the prompt is then run in one piece, without draft.
  /// - Returns: Scores, distributions and text.
  /// - Throws: `ModelError.request` for a prompt that is too long or holds a picture mark, and
  ///   for a model without score tokens; `ModelError.picture` for a picture that does not fit beside
  ///   the prompt.
  package func answer(
    _ pixels: Pixels, _ request: AnswerRequest = AnswerRequest(), trace: Trace? = nil
  ) throws(ModelError) -> Answer {
    guard let readout = parts.readout else { throw Self.noScoreTokens }
    let text = try text(.scoreTokens(question: request.question)) + request.opening
    let prepared = try prompts.prompt(text)
    let picture = try pictureRows(of: pixels, beside: prepared, trace: trace)
    let cache = makeCache(for: prepared, pictureRows: picture.matrix.rows)
    let expected = trace == nil ? request.draft ?? prepared.draft.ids : []
    let length = prepared.prefixIDs.count + picture.matrix.rows + prepared.suffix.count
    let room = min(request.maxTokens - 1, parts.language.maxPositions - length)
    let tokens = Array(expected.prefix(max(room, 0)))
    let hidden = prefill(picture, prepared, draft: tokens, cache: cache, trace: trace)
    var decoding = GreedyDecoding(parts: parts, readout: readout, maxTokens: request.maxTokens)
    decoding.run(from: hidden, draft: tokens, cache: cache, trace: trace)
    let answer = decoding.answer(decimals: request.decimals, compute: compute)
    if answer.isFinite { prompts.learn(answer.outputIDs, to: text) }
    return answer
  }

  /// Reads how likely each level word is after the opening of the answer.
  ///
  /// - Parameters:
  ///   - pixels: From `parts.preprocessing`.
  ///   - levels: What is asked, and what the words are worth.
  /// - Returns: The expectation as the score, the five probabilities in `levels`, and the opening
  ///   with the likeliest word as the text.
  /// - Throws: `ModelError.request` for a prompt that is too long, `ModelError.picture` for a
  ///   picture that does not fit beside it.
  package func answer(
    _ pixels: Pixels, levels: LevelScoring
  ) throws(ModelError) -> Answer {
    try checkLevels()
    let prepared = try prompts.prompt(try text(.levels(levels)))
    let picture = try pictureRows(of: pixels, beside: prepared, trace: nil)
    let cache = makeCache(for: prepared, pictureRows: picture.matrix.rows)
    let hidden = prefill(picture, prepared, draft: [], cache: cache, trace: nil)
    let logits = parts.language.logits(hidden).array
    let probabilities = compute.softmax(levelIDs.map { logits[$0] })
    let score = zip(probabilities, levels.worth).reduce(0 as Float) { $0 + $1.0 * $1.1 }
    let likeliest = probabilities.indices.max { probabilities[$0] < probabilities[$1] } ?? 0
    return Answer(
      text: "\(levels.opening) \(LevelScoring.words[likeliest])", scores: [Double(score)],
      // In the order of rising scores, as the histogram of a dataset is.
      distributions: [probabilities.reversed().map(Double.init)], outputIDs: [], scoreSteps: [],
      levels: probabilities.map(Double.init), isFinite: score.isFinite)
  }

  /// Words that begin alike would be equally likely.
  private func checkLevels() throws(ModelError) {
    guard Set(levelIDs).count == LevelScoring.words.count else {
      throw .request(
        """
        the tokenizer does not tell \(LevelScoring.words.joined(separator: ", ")) apart by their \
        first pieces \(levelIDs), so levels cannot be read
        """)
    }
  }

  private static let noScoreTokens = ModelError.request(
    """
    this checkpoint has no score tokens (config.json has no score_id): score with --scoring \
    levels, or add them with roc-model add-score-tokens and train
    """)

  /// The whole prompt, with one picture mark.
  private func text(_ mode: ScoringMode) throws(ModelError) -> String {
    switch mode {
    case .scoreTokens(let question):
      guard parts.readout != nil else { throw Self.noScoreTokens }
      return parts.template.prompt(question)
    case .levels(let levels):
      return parts.template.prompt(levels.question, opening: levels.opening)
    }
  }

  /// Room for a prompt, its draft and the usual answer.
  private func makeCache(for prompt: PreparedPrompt, pictureRows: Int) -> KeyValueCache {
    parts.language.makeCache(
      rows: prompt.prefix.count + pictureRows + prompt.suffix.count + Draft.maxTokens + 16)
  }

  /// The rows that stand for a picture in the prompt.
  private func pictureRows(
    of pixels: Pixels, beside prompt: PreparedPrompt, trace: Trace?
  ) throws(ModelError) -> PictureRows {
    try checkSize(of: pixels, beside: prompt)
    let features = parts.vision.encode([pixels], trace: trace)
    trace?.record("vision", features.matrix)
    let rows = parts.connector.connect(features, trace: trace)
    trace?.record("abstractor", rows.matrix)
    return rows
  }

  /// Refuses a picture that does not fit, before minutes are spent on it.
  private func checkSize(
    of pixels: Pixels, beside prompt: PreparedPrompt
  ) throws(ModelError) {
    guard let rows = parts.preprocessing.rows(width: pixels.width, height: pixels.height) else {
      return
    }
    let length = prompt.prefixIDs.count + rows + prompt.suffix.count
    guard length < parts.language.maxPositions else {
      throw .picture(
        """
        the picture takes \(rows) rows and with its prompt \(length) of the model's \
        \(parts.language.maxPositions) positions; lower --max-pixels
        """)
    }
    let needed = parts.vision.activationBytes(pixels)
    guard let free = availableMemory(), needed > free else { return }
    throw .picture(
      """
      the picture's \(rows) rows need \(memorySize(needed)) in the vision tower and this machine has \
      \(memorySize(free)) free; lower --max-pixels
      """)
  }

  /// Hidden states of the prompt's last row and of each token of the draft.
  private func prefill(
    _ picture: borrowing PictureRows, _ prompt: PreparedPrompt, draft: [Int],
    cache: KeyValueCache, trace: Trace?
  ) -> Matrix {
    let language = parts.language
    let suffix = language.embed(prompt.suffix + draft)
    let wanted = draft.count + 1
    let kinds = [picture.span(0), .text(suffix.rows)]
    guard let trace else {
      cache.start(with: prompt.prefix)
      return language.run(
        joined(picture.matrix, suffix), [SequenceRows(kinds, cache: cache, wanted: wanted)],
        trace: nil)
    }
    let prefix = language.embed(prompt.prefixIDs)
    let rows = joined(joined(prefix, picture.matrix), suffix)
    trace.record("embeddings", rows)
    return language.run(
      rows, [SequenceRows([.text(prefix.rows)] + kinds, cache: cache, wanted: wanted)],
      trace: trace)
  }

  /// The rows of a prompt after the text before the picture, and that text's keys and values.
  func promptRows(
    _ picture: borrowing PictureRows, _ mode: ScoringMode
  ) throws(ModelError) -> RowsAndPrefix {
    let prepared = try prompts.prompt(try text(mode))
    let suffix = parts.language.embed(prepared.suffix)
    return RowsAndPrefix(
      rows: joined(picture.matrix, suffix), kinds: [picture.span(0), .text(suffix.rows)],
      prefix: prepared.prefix)
  }

  /// What `promptRows` gives.
  struct RowsAndPrefix: ~Copyable {
    let rows: Matrix
    let kinds: [RowSpan]
    let prefix: KeyValueCache
  }

  private func joined(_ a: borrowing Matrix, _ b: borrowing Matrix) -> Matrix {
    let rows = compute.matrix(a.rows + b.rows, a.columns)
    compute.copy(a, into: rows)
    compute.copy(b, into: rows, at: a.rows)
    return rows
  }
}
