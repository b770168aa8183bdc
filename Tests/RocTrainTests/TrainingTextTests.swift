import RocJSON
import RocModel
import RocTensor
import RocTestSupport
import RocTokenizer
import RocTrain
import Testing

struct TrainingTextTests {
  static let settings = ["tiny600-legacy", "tiny600-new", "tiny600-plain"]
  static let batches = [
    ("plain", "tiny-f32", 4), ("varied", "tiny-f32", 4), ("multi/multi", "tiny-multi-f32", 12),
  ]

  @Test(arguments: settings)
  func givesTheLabelsOfTheOfficialTrainer(_ name: String) throws {
    let tokenizer = try SentencePieceTokenizer(folder: Fixture.path("tokenizer/\(name)"))
    let golden = try Fixture.json("tokenizer/\(name)/labels.json")
    let maxLength = try #require(golden["model_max_length"]?.int)
    let rows = try #require(golden["rows"]?.array)
    #expect(rows.count == 18)
    for (i, row) in rows.enumerated() {
      let record = try TrainingRecord(row, number: i + 1)
      let hasPicture = try #require(row["has_image"]?.bool as Bool?)
      let text = TrainingText(
        turns: record.turns, hasPicture: hasPicture, template: Owl2Prompt(), tokenizer: tokenizer,
        maxLength: maxLength)
      let labels = try self.labels(row["labels"])
      #expect(text.ids == row["input_ids"]?.array?.compactMap(\.int), "\(name): \(record.turns)")
      #expect(text.labels == labels, "\(name): \(record.turns)")
      #expect(text.isMismatched == row["mismatch_warning"]?.bool, "\(name): \(record.turns)")
      #expect(!text.isTruncated)
      #expect(text.supervisedCount == labels.count { $0 != nil })
      #expect(text.picturePositions.count == (hasPicture ? 1 : 0))
      #expect(
        tokenizer.decode(text.labels.compactMap { $0 }, skipSpecial: false)
          == row["supervised"]?.string)
    }
  }

  @Test(arguments: batches)
  func givesTheBatchesOfTheOfficialTrainer(
    _ name: String, _ checkpoint: String, _ scores: Int
  ) throws {
    let tokenizer = try SentencePieceTokenizer(folder: Fixture.path(checkpoint))
    let golden = try Fixture.json("training/\(name).golden.json")
    let samples = try #require(try Fixture.json("training/\(name).samples.json").array)
    let ids = try #require(golden["ids"]?.array)
    let labels = try #require(golden["labels"]?.array)
    #expect(samples.count == ids.count)
    let scoreID = try #require(tokenizer.id(of: "[SCORE]"))
    var found = 0
    for (i, sample) in samples.enumerated() {
      let record = try TrainingRecord(sample, number: i + 1, tokens: 10)
      let text = TrainingText(
        turns: record.turns, hasPicture: record.image != nil, template: Owl2Prompt(),
        tokenizer: tokenizer,
        maxLength: 2048)
      #expect(text.ids == ids[i].array?.compactMap(\.int), "\(name): \(record.turns)")
      #expect(text.labels == (try self.labels(labels[i])), "\(name): \(record.turns)")
      #expect(!text.isMismatched)
      let places = text.positions(teaching: scoreID)
      #expect(places.count == record.scores.count)
      #expect(places.allSatisfy { text.ids[$0] == scoreID })
      found += places.count
    }
    #expect(found == scores)
  }

  /// LLaVA-1.5 and Qwen2-VL: the reference's processors repeat a picture's token for every row.
  @Test(arguments: TrainingGolden.backbones)
  func givesTheBatchesOfOtherBackbones(_ name: String) throws {
    let golden = try TrainingGolden(name)
    let loader = try ModelLoader(folder: golden.checkpoint, compute: try Compute(threads: 1))
    let template = loader.backbone.template
    let samples = try #require(
      try Fixture.json("\(golden.folder)/varied.samples.json").array)
    let ids = try #require(golden.json["ids"]?.array)
    let labels = try #require(golden.json["labels"]?.array)
    #expect(samples.count == ids.count && samples.count == 4)
    for (i, sample) in samples.enumerated() {
      let record = try TrainingRecord(sample, number: i + 1, tokens: 10)
      let text = TrainingText(
        turns: record.turns, hasPicture: true, template: template, tokenizer: loader.tokenizer,
        maxLength: 2048)
      var wantedIDs: [Int] = []
      var wantedLabels: [Int?] = []
      for (id, label) in zip(
        try #require(ids[i].array).compactMap(\.int), try self.labels(labels[i]))
      {
        let isMark = template.spelling == .token(id)
        if isMark, wantedIDs.last == Engine.imageID { continue }
        wantedIDs.append(isMark ? Engine.imageID : id)
        wantedLabels.append(label)
      }
      #expect(text.ids == wantedIDs && text.labels == wantedLabels, "\(name) \(i)")
      #expect(!text.isMismatched)
    }
  }

  /// What a continued text cannot tell apart is taught to nobody.
  @Test func continuedTextsNeedAnAnswer() throws {
    let loader = try ModelLoader(
      folder: Fixture.backbone("qwen2vl-f32"), compute: try Compute(threads: 1))
    func text(_ turns: Turn...) -> TrainingText {
      TrainingText(
        turns: turns, hasPicture: true, template: loader.backbone.template,
        tokenizer: loader.tokenizer, maxLength: 2048)
    }
    let asked = Turn(.human, "<|image|>Rate it.")
    #expect(text(asked).isMismatched)
    let two = text(
      asked, Turn(.gpt, "It is [SCORE]."), Turn(.human, "And the light?"), Turn(.gpt, "[SCORE]"))
    #expect(!two.isMismatched && two.picturePositions.count == 1)
    let score = try #require(loader.tokenizer.id(of: "[SCORE]"))
    let end = try #require(loader.tokenizer.id(of: "<|im_end|>"))
    #expect(two.positions(teaching: score).count == 2)
    #expect(two.positions(teaching: end).count == 2)
    // The template's own end marks of questions are not taught.
    #expect(two.ids.count { $0 == end } == 5)
    // An answer first has no question and is left out, as in the official trainer.
    #expect(
      text(Turn(.gpt, "Hello."), asked, Turn(.gpt, "It is [SCORE].")).ids
        == text(
          asked, Turn(.gpt, "It is [SCORE].")
        ).ids)
  }

  /// -100 stands for what is not taught.
  private func labels(_ json: JSON?) throws -> [Int?] {
    try #require(json?.array).map { label in
      let id = try #require(label.int)
      return id == -100 ? nil : id
    }
  }
}

/// What the goldens do not hold.
struct TrainingTextEdgeTests {
  private let tokenizer: any Tokenizer
  private let scoreID: Int

  init() throws {
    tokenizer = try SentencePieceTokenizer(folder: Fixture.path("tokenizer/tiny600-legacy"))
    scoreID = try #require(tokenizer.id(of: "[SCORE]"))
  }

  private func text(
    _ turns: Turn..., hasPicture: Bool = true, maxLength: Int = 2048
  ) -> TrainingText {
    TrainingText(
      turns: turns, hasPicture: hasPicture, template: Owl2Prompt(), tokenizer: tokenizer,
      maxLength: maxLength)
  }

  /// The same ids as `text`, whatever blanks, marks and dropped turns were in the way.
  @Test(arguments: [
    "<|image|>Rate it.", "Rate it.<|image|>", "Rate <|image|>it.<|image|>",
    "\u{3000}\u{85}Rate it.\u{1C}<|image|>\u{A0}\u{2028}", "<|image|>\nRate it.\u{1680}",
  ])
  func movesTheMarkToTheFront(_ question: String) {
    let plain = text(Turn(.human, "<|image|>\nRate it."), Turn(.gpt, "[SCORE]."))
    #expect(text(Turn(.human, question), Turn(.gpt, "[SCORE].")) == plain)
    #expect(
      text(Turn(.gpt, "Hello."), Turn(.human, question), Turn(.gpt, "[SCORE].")) == plain)
    #expect(plain.picturePositions.count == 1)
  }

  /// Python does not strip these, and a turn without a mark keeps its blanks.
  @Test func keepsWhatPythonKeeps() {
    let plain = text(Turn(.human, "<|image|>Rate it."), Turn(.gpt, "Yes."))
    for kept in ["\u{200B}", "\u{FEFF}", "\u{180E}"] {
      #expect(text(Turn(.human, "<|image|>Rate it.\(kept)"), Turn(.gpt, "Yes.")) != plain)
    }
    let bare = text(Turn(.human, "Rate it. "), Turn(.gpt, "Yes."), hasPicture: true)
    #expect(bare != text(Turn(.human, "Rate it."), Turn(.gpt, "Yes."), hasPicture: true))
    #expect(bare.picturePositions == [])
  }

  /// An accent behind the mark makes another character of its last one.
  @Test func findsAMarkUnderAnAccent() {
    let accented = text(Turn(.human, "<|image|>\u{301}Rate it."), Turn(.gpt, "Yes."))
    #expect(accented.picturePositions.count == 1)
    #expect(!accented.isMismatched)
  }

  @Test func cutsAtTheLongestLength() throws {
    let turns = [Turn(.human, "<|image|>Rate it."), Turn(.gpt, "It is [SCORE]. Light.")]
    let whole = text(turns[0], turns[1])
    let place = try #require(whole.positions(teaching: scoreID).first)
    #expect(!whole.isTruncated)
    for length in 0...whole.ids.count {
      let cut = text(turns[0], turns[1], maxLength: length)
      #expect(cut.ids == Array(whole.ids.prefix(length)))
      #expect(cut.labels == Array(whole.labels.prefix(length)))
      #expect(cut.isTruncated == (length < whole.ids.count))
      #expect(cut.positions(teaching: scoreID) == (length > place ? [place] : []))
      #expect(!cut.isMismatched)
    }
    #expect(text(turns[0], turns[1], maxLength: -1).ids == [])
    let bare = text(
      Turn(.human, "Why?"), Turn(.gpt, "Light."), hasPicture: false, maxLength: 40)
    #expect(bare.ids.count == 40)
    #expect(bare.isTruncated && !bare.isMismatched)
  }

  /// Conversations that are cut are not counted, so a separator goes unnoticed.
  @Test func countsOnlyWhatIsNotCut() {
    let turns = [Turn(.human, "<|image|>Rate."), Turn(.gpt, "good </s> bad")]
    let whole = text(turns[0], turns[1])
    #expect(whole.isMismatched)
    #expect(whole.supervisedCount == 0)
    #expect(whole.labels.count == whole.ids.count)
    let cut = text(turns[0], turns[1], maxLength: 43)
    #expect(!cut.isMismatched)
    #expect(cut.supervisedCount == 3)
  }

  /// `<unk>` is what batches are padded with: the count leaves it out and does not add up.
  @Test func countsNoUnknownTokens() throws {
    let found = text(Turn(.human, "<|image|>Rate."), Turn(.gpt, "It is <unk>."))
    let unknown = try #require(tokenizer.unknownID)
    #expect(found.ids.contains(unknown))
    #expect(found.isMismatched)
  }

  @Test func teachesNoPicture() {
    let found = text(
      Turn(.human, "Show me."), Turn(.gpt, "Here. <|image|>"), Turn(.human, "Thanks"))
    #expect(found.picturePositions.count == 1)
    #expect(found.positions(teaching: Engine.imageID) == [])
    #expect(text().isMismatched)
    #expect(text(Turn(.human, ""), Turn(.gpt, "")).supervisedCount == 0)
  }
}
