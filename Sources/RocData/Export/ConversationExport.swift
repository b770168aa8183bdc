import RocJSON
package import RocNames
package import RocScore
package import RocStore

/// Writes samples as mPLUG-Owl2 conversations with `gt_score` and `target`.
///
/// No newline stands after the picture mark (training adds it), and the blank at the end of the
/// answer stays: it is part of what the model is trained to say.
package struct ConversationExport: Sendable {
  package static let mark = "<|image|>"
  package static let scoreToken = "[SCORE]"
  /// What neither a question nor a comment may hold: training would cut the text there.
  package static let reserved = [
    mark, scoreToken, "[IMG", "</s>", "<s>", " USER: ", " ASSISTANT: ",
  ]

  /// A score beside gt_score.
  package struct Attribute: Sendable {
    package let name: String
    /// What question and answer call it.
    package let word: ScoreWord
    package let range: ScoreRange
    /// Its votes by sample, and the bins they are in.
    package let votes: [Int64: [Int]]
    package let bins: DatasetRecord.Bins?

    package init(
      name: String, word: String?, range: ScoreRange, votes: [Int64: [Int]] = [:],
      bins: DatasetRecord.Bins? = nil
    ) {
      self.name = name
      self.word = ScoreWord(word ?? Self.word(name))
      self.range = range
      self.votes = votes
      self.bins = bins
    }

    /// `compositionScore_mean` is composition, `ColorHarmony` is color harmony.
    private static func word(_ name: String) -> String {
      var stem = name
      for ending in ["_mean", "Score"] where stem.hasSuffix(ending) && stem != ending {
        stem = String(stem.dropLast(ending.count))
      }
      var word = ""
      let letters = Array(stem)
      for (i, letter) in letters.enumerated() {
        // A capital between lower-case letters begins a word: DoF is one word.
        let begins =
          letter.isUppercase && i > 0 && letters[i - 1].isLowercase && i + 1 < letters.count
          && letters[i + 1].isLowercase
        if begins { word += " " }
        word += letter == "_" ? " " : letter.lowercased()
      }
      return word
    }
  }

  private let range: ScoreRange
  private let bins: DatasetRecord.Bins?
  private let questions: [String]
  private let attributes: [Attribute]
  private let scale: ScoreRange?
  private let tokens: Int?
  private let hasTargets: Bool
  private let values: [Int64: [ExactText: Double]]
  private let comments: [Int64: String]
  /// All scores of records that were imported with several.
  private let lists: [Int64: [Double]]
  /// What stands before the answer, for each question, and the answer without a comment.
  private let openings: [[UInt8]]
  private let plainAnswer: [UInt8]
  private let sentence: String

  /// - Parameters:
  ///   - dataset: Says which bins votes have.
  ///   - word: What the main score is called; the manifest's word when nil.
  ///   - questions: Taken in turn; one made of the scores' words when empty.
  ///   - attributes: Further scores; each gets its own `[SCORE]`, and gt_score becomes a list.
  ///   - values: Attributes by sample; a sample must have all that are asked for.
  ///   - comments: Said after the score.
  ///   - lists: All scores of records that were imported with several; these keep their
  ///     conversations.
  ///   - scale: The scale on which all scores are written, by a linear map; nil keeps gt_score as
  ///     it is and maps attributes to the scale of gt_score.
  ///   - tokens: Bins of target; the dataset's own when nil.
  ///   - hasTargets: Whether several scores get targets.
  package init(
    dataset: DatasetRecord, word: ScoreWord? = nil, questions: [String] = [],
    attributes: [Attribute] = [],
    values: [Int64: [ExactText: Double]] = [:], comments: [Int64: String] = [:],
    lists: [Int64: [Double]] = [:], scale: ScoreRange? = nil, tokens: Int? = nil,
    hasTargets: Bool = true
  ) {
    self.hasTargets = hasTargets
    range = dataset.range
    bins = dataset.bins
    self.attributes = attributes
    self.values = values
    self.comments = comments
    self.lists = lists
    self.scale = scale
    self.tokens = tokens
    let words = [word ?? ScoreWord(of: dataset)] + attributes.map(\.word)
    self.questions = questions.isEmpty ? [Self.question(words)] : questions
    openings = self.questions.map { question in
      var bytes = Array(", \"conversations\": [{\"from\": \"human\", \"value\": ".utf8)
      JSON.write(Self.mark + question, into: &bytes)
      bytes.append(contentsOf: "}, {\"from\": \"gpt\", \"value\": ".utf8)
      return bytes
    }
    var plain: [UInt8] = []
    sentence = Self.answer(words)
    JSON.write(sentence, into: &plain)
    plainAnswer = plain
  }

  private static func question(_ words: [ScoreWord]) -> String {
    let names = words.map(\.question)
    guard names.count > 1 else { return "Please rate the \(names[0]) of the image." }
    let list = names.dropLast().joined(separator: ", ") + " and " + (names.last ?? "")
    return "Rate the \(list) of the image."
  }

  private func answer(_ sample: SampleRecord) -> String {
    sentence + (comments[sample.id] ?? "")
  }

  private static func answer(_ words: [ScoreWord]) -> String {
    let scores = words.enumerated().map { place, word in
      "\(place == 0 ? "The" : "the") \(word.answer) rate of the image is \(scoreToken)"
    }
    return scores.joined(separator: ", ") + ". "
  }

  /// A JSON array, one record a line.
  package func array(_ samples: [SampleRecord]) -> [UInt8] { Array(blocks(samples).joined()) }

  /// The bytes of the array in pieces, which all cores write.
  package func blocks(_ samples: [SampleRecord]) -> [[UInt8]] {
    let pieces = samples.count < 10_000 ? 1 : 16
    let starts = (0...pieces).map { samples.count * $0 / pieces }
    let blocks = Parallel.map(Array(0..<pieces), jobs: pieces) { piece in
      var bytes: [UInt8] = []
      let range = starts[piece]..<starts[piece + 1]
      bytes.reserveCapacity(range.count * 450)
      for place in range {
        bytes.append(contentsOf: (place == 0 ? "\n" : ",\n").utf8)
        write(samples[place], index: place, into: &bytes)
      }
      return bytes
    }
    return [Array("[".utf8)] + blocks + [Array("\n]\n".utf8)]
  }

  /// Appends one record; `target` is left out where there are no votes.
  private func write(_ sample: SampleRecord, index: Int, into bytes: inout [UInt8]) {
    bytes.append(contentsOf: "{\"image\": ".utf8)
    JSON.write(sample.key.text, into: &bytes)
    bytes.append(contentsOf: ", \"gt_score\": ".utf8)
    let own = scale.map { range.map(sample.score, to: $0) } ?? sample.score
    if let list = lists[sample.id], let extra = sample.extra.flatMap({ try? JSON.parse($0) }),
      let turns = extra["conversations"]
    {
      JSON(list.map { score in scale.map { range.map(score, to: $0) } ?? score }).write(
        into: &bytes)
      bytes.append(contentsOf: ", \"conversations\": ".utf8)
      turns.write(into: &bytes)
      if let target = extra["target"] {
        bytes.append(contentsOf: ", \"target\": ".utf8)
        target.write(into: &bytes)
      }
      bytes.append(UInt8(ascii: "}"))
      return
    }
    if attributes.isEmpty {
      JSON.double(own).write(into: &bytes)
    } else {
      let others = attributes.map { attribute in
        attribute.range.map(values[sample.id]?[attribute.name] ?? .nan, to: scale ?? range)
      }
      JSON([own] + others).write(into: &bytes)
    }
    bytes.append(contentsOf: openings[index % openings.count])
    if comments.isEmpty {
      bytes.append(contentsOf: plainAnswer)
    } else {
      JSON.write(answer(sample), into: &bytes)
    }
    bytes.append(contentsOf: "}]".utf8)
    if let target = attributes.isEmpty ? target(sample) : targets(sample) {
      bytes.append(contentsOf: ", \"target\": ".utf8)
      JSON(target).write(into: &bytes)
    }
    bytes.append(UInt8(ascii: "}"))
  }

  /// The distributions of all scores, one after another; nil where one of them has no votes.
  private func targets(_ sample: SampleRecord) -> [Double]? {
    guard hasTargets, var all = target(sample), let count = tokens ?? bins?.count else {
      return nil
    }
    for attribute in attributes {
      guard let votes = attribute.votes[sample.id], let own = attribute.bins else { return nil }
      let histogram = VoteHistogram(counts: votes, first: own.first, step: own.step)
      let shares =
        count == own.count
        ? histogram.distribution : histogram.distribution(rebinnedTo: count)
      guard let shares else { return nil }
      all += shares
    }
    return all
  }

  /// The votes' distribution, or the one that an imported conversation file had.
  private func target(_ sample: SampleRecord) -> [Double]? {
    guard let bins, let votes = sample.votes else {
      guard tokens == nil, let extra = sample.extra, extra.contains("\"target\"") else {
        return nil
      }
      return (try? JSON.parse(extra))?["target"]?.array?.compactMap(\.double)
    }
    let histogram = VoteHistogram(counts: votes, first: bins.first, step: bins.step)
    guard let tokens, tokens != bins.count else { return histogram.distribution }
    return histogram.distribution(rebinnedTo: tokens)
  }
}
