import RocCheckpoint
import RocFiles
package import RocImage
import RocNames
import RocScore
package import RocTensor
import RocTokenizer
import Synchronization

/// A loaded model that answers questions about pictures.
package final class Engine: Sendable {
  /// The question that ROC4MLLM is trained with.
  package static let defaultQuestion = "Please rate the aesthetics of the image."
  /// What a trained model answers to it, to the last blank.
  package static let defaultAnswer = "The aesthetic rate of the image is [SCORE]. "
  /// The version of roc, which stands for that of the arithmetic in every stored run.
  package static let version = rocVersion
  /// The official code stops here, too.
  static let maxTokens = 512
  /// Stands for the picture among token ids, as in the official code.
  package static let imageID = -200

  package let parts: ModelParts
  package let compute: Compute
  package let precision: Precision
  let levelIDs: [Int]
  /// Bytes of weights that one decoding step reads.
  let languageBytes: Int
  private let prompts = Mutex<[String: PreparedPrompt]>([:])
  private let prefixes = Mutex<[[Int]: KeyValueCache]>([:])

  /// A prompt's token ids around the picture, the state after the text before it, and what the
  /// answer is expected to be.
  private struct PreparedPrompt: Sendable {
    let suffix: [Int]
    let prefix: KeyValueCache
    var draft: Draft
  }

  package init(_ loader: ModelLoader, compute: Compute) throws(ModelError) {
    let parts = try loader.load()
    self.parts = parts
    self.compute = compute
    precision = loader.precision
    languageBytes = loader.decodingBytes
    // The first piece of each word, after the id of <s>.
    let tokenizer = parts.tokenizer
    levelIDs = LevelScoring.words.compactMap { word in
      tokenizer.encodeWithoutBegin(word).first
    }
  }

  /// Loads a checkpoint folder with default settings.
  ///
  /// - Parameters:
  ///   - folder: Has config.json, weights, tokenizer and preprocessor files.
  ///   - threads: All cores when nil.
  ///   - instructionSet: Kernels to use; the fastest when nil.
  ///   - precision: `auto` when nil: bf16 where the CPU multiplies it by itself, else f32.
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
    } catch {
      throw .request(error.description)
    }
  }

  /// Token ids of the prompt for a question; -200 stands for the picture.
  package func promptIDs(_ question: String) -> [Int] { ids(parts.template.prompt(question)) }

  private func ids(_ prompt: String) -> [Int] {
    parts.tokenizer.encode(prompt, splitAt: parts.template.mark, imageID: Self.imageID)
  }

  /// Prepares a question, so that one that cannot be asked is refused before any picture is read.
  package func check(_ mode: ScoringMode) throws(ModelError) {
    switch mode {
    case .scoreTokens(let question): _ = try prepared(try prompt(question, opening: ""))
    case .levels(let levels):
      try checkLevels()
      _ = try prepared(levels.text(mark: parts.template.mark))
    }
  }

  /// Asks a question about a picture and decodes greedily.
  ///
  /// - Parameters:
  ///   - pixels: From `parts.preprocessing`.
  ///   - question: Without the picture mark; the trained one by default.
  ///   - decimals: Digits of the score in the text.
  ///   - opening: Answer text that is given, not generated; it directly follows the prompt.
  ///   - maxTokens: Where generation stops at the latest.
  ///   - draft: Tokens to verify with the prompt; those of the last answers when nil. The answer
  ///     does not depend on them.
  ///   - trace: Records every stage when given; the prompt is then run in one piece, without draft.
  /// - Returns: Scores, distributions and text.
  /// - Throws: `ModelError.request` for a prompt that is too long or holds a picture mark, and
  ///   for a model without score tokens.
  package func answer(
    _ pixels: Pixels, question: String = Engine.defaultQuestion, decimals: Int = 4,
    opening: String = "", maxTokens: Int = Engine.maxTokens, draft: [Int]? = nil,
    trace: Trace? = nil
  ) throws(ModelError) -> Answer {
    guard let readout = parts.readout else { throw Self.noScoreTokens }
    let text = try prompt(question, opening: opening)
    let prepared = try prepared(text)
    let picture = pictureRows(of: pixels, trace: trace)
    let cache = makeCache(for: prepared, pictureRows: picture.rows)
    let expected = trace == nil ? draft ?? prepared.draft.ids : []
    let room = parts.language.maxPositions - prepared.prefix.count - picture.rows
    let tokens = Array(expected.prefix(max(min(maxTokens - 1, room - prepared.suffix.count), 0)))
    let hidden = prefill(
      picture, text, prepared, draft: tokens, cache: cache, trace: trace)
    var decoding = GreedyDecoding(parts: parts, readout: readout, maxTokens: maxTokens)
    decoding.run(from: hidden, draft: tokens, cache: cache, trace: trace)
    let answer = decoding.answer(decimals: decimals, compute: compute)
    if answer.isFinite {
      prompts.withLock { $0[text]?.draft.update(answer.outputIDs) }
    }
    return answer
  }

  /// Reads how likely each level word is after the opened answer.
  ///
  /// - Parameters:
  ///   - pixels: From `parts.preprocessing`.
  ///   - levels: What is asked, and what the words are worth.
  /// - Returns: The expectation as the score, the five probabilities in `levels`, and the opening
  ///   with the likeliest word as the text.
  /// - Throws: `ModelError.request` for a prompt that is too long.
  package func answer(
    _ pixels: Pixels, levels: LevelScoring
  ) throws(ModelError) -> Answer {
    try checkLevels()
    let text = levels.text(mark: parts.template.mark)
    let prepared = try prepared(text)
    let picture = pictureRows(of: pixels, trace: nil)
    let cache = makeCache(for: prepared, pictureRows: picture.rows)
    let hidden = prefill(
      picture, text, prepared, draft: [], cache: cache, trace: nil)
    let logits = parts.language.logits(hidden).array
    let probabilities = compute.softmax(levelIDs.map { logits[$0] })
    let score = zip(probabilities, levels.worth).reduce(0 as Float) { $0 + $1.0 * $1.1 }
    let likeliest = probabilities.indices.max { probabilities[$0] < probabilities[$1] } ?? 0
    let opening = text.split(separator: "\n").last?.dropFirst("ASSISTANT: ".count) ?? ""
    return Answer(
      text: "\(opening) \(LevelScoring.words[likeliest])", scores: [Double(score)],
      // In the order of rising scores, as the histogram of a dataset is.
      distributions: [probabilities.reversed().map(Double.init)], outputIDs: [], scoreSteps: [],
      levels: probabilities.map(Double.init), isFinite: score.isFinite)
  }

  /// Five words that begin alike would all be equally likely.
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

  /// Room for a prompt, its draft and the usual answer.
  private func makeCache(for prompt: PreparedPrompt, pictureRows: Int) -> KeyValueCache {
    parts.language.makeCache(
      rows: prompt.prefix.count + pictureRows + prompt.suffix.count + Draft.maxTokens + 16)
  }

  /// The rows that stand for a picture in the prompt.
  private func pictureRows(of pixels: Pixels, trace: Trace?) -> Matrix {
    trace?.record("pixel_values", pixels.values)
    let features = parts.vision.encode([pixels], trace: trace)
    trace?.record("vision", features.matrix)
    let rows = parts.connector.connect(features, trace: trace)
    trace?.record("abstractor", rows.matrix)
    return rows.matrix.copy()
  }

  /// Hidden states of the prompt's last row and of each token of the draft.
  private func prefill(
    _ picture: borrowing Matrix, _ text: String, _ prompt: PreparedPrompt, draft: [Int],
    cache: KeyValueCache, trace: Trace?
  ) -> Matrix {
    let language = parts.language
    let suffix = language.embed(prompt.suffix + draft)
    let wanted = draft.count + 1
    if trace == nil {
      cache.start(with: prompt.prefix)
      let rows = joined(picture, suffix)
      let kinds: [RowSpan] = [.picture(picture.rows), .text(suffix.rows)]
      return language.run(rows, [SequenceRows(kinds, cache: cache, wanted: wanted)], trace: nil)
    }
    let prefix = language.embed(Array(ids(text).prefix { $0 != Self.imageID }))
    let rows = joined(joined(prefix, picture), suffix)
    trace?.record("embeddings", rows)
    let kinds: [RowSpan] = [.text(prefix.rows), .picture(picture.rows), .text(suffix.rows)]
    return language.run(rows, [SequenceRows(kinds, cache: cache, wanted: wanted)], trace: trace)
  }

  /// The rows of a prompt after the text before the picture, and that text's keys and values.
  func promptRows(
    _ picture: borrowing Matrix, _ mode: ScoringMode
  ) throws(ModelError) -> RowsAndPrefix {
    let text: String
    switch mode {
    case .scoreTokens(let question): text = try prompt(question, opening: "")
    case .levels(let levels): text = levels.text(mark: parts.template.mark)
    }
    let prepared = try prepared(text)
    let suffix = parts.language.embed(prepared.suffix)
    let kinds: [RowSpan] = [.picture(picture.rows), .text(suffix.rows)]
    return RowsAndPrefix(rows: joined(picture, suffix), kinds: kinds, prefix: prepared.prefix)
  }

  /// What `promptRows` gives.
  struct RowsAndPrefix: ~Copyable {
    let rows: Matrix
    let kinds: [RowSpan]
    let prefix: KeyValueCache
  }

  /// The whole prompt for a question, with one picture mark.
  private func prompt(_ question: String, opening: String) throws(ModelError) -> String {
    guard parts.readout != nil else { throw Self.noScoreTokens }
    return parts.template.prompt(question) + opening
  }

  /// The text before the picture is the same for every picture: it is run once.
  private func prepared(_ text: String) throws(ModelError) -> PreparedPrompt {
    if let known = prompts.withLock({ $0[text] }) { return known }
    let ids = ids(text)
    // Counted in tokens: as characters, a mark may hide behind an accent.
    guard ids.filter({ $0 == Self.imageID }).count == 1 else {
      throw .request(
        "the question must not contain \(parts.template.mark); the picture stands before it")
    }
    let prefixIDs = Array(ids.prefix { $0 != Self.imageID })
    let suffix = Array(ids.dropFirst(prefixIDs.count + 1))
    let length = prefixIDs.count + parts.pictureRows + suffix.count
    guard length < parts.language.maxPositions else {
      throw .request(
        """
        the prompt takes \(length) positions and the model has \
        \(parts.language.maxPositions); shorten the question
        """)
    }
    let cache = prefix(prefixIDs)
    let expected = parts.tokenizer.encodeWithoutBegin(Self.defaultAnswer)
    let prompt = PreparedPrompt(
      suffix: suffix, prefix: cache, draft: Draft(expected: expected + [parts.tokenizer.endID ?? 0])
    )
    prompts.withLock { prompts in
      // Questions that are no longer asked must not pile up.
      if prompts.count >= Self.maxPrompts { prompts.removeAll() }
      prompts[text] = prompt
    }
    return prompt
  }

  private static let maxPrompts = 64

  /// Keys and values of the text before the picture, which all questions of a template share.
  private func prefix(_ ids: [Int]) -> KeyValueCache {
    if let known = prefixes.withLock({ $0[ids] }) { return known }
    let cache = parts.language.makeCache(rows: ids.count)
    _ = parts.language.run(
      parts.language.embed(ids), [SequenceRows([.text(ids.count)], cache: cache, wanted: 0)],
      trace: nil)
    prefixes.withLock { prefixes in
      if prefixes.count >= 4 { prefixes.removeAll() }
      prefixes[ids] = cache
    }
    return cache
  }

  private func joined(_ a: borrowing Matrix, _ b: borrowing Matrix) -> Matrix {
    let rows = compute.matrix(a.rows + b.rows, a.columns)
    compute.copy(a, into: rows)
    compute.copy(b, into: rows, at: a.rows)
    return rows
  }
}
