import RocCheckpoint
import RocImage
import RocJSON
import RocScore
import RocTensor
import RocTestSupport
import RocTokenizer
import Testing

@testable import RocModel

/// A network that roc does not know: a CLIP tower, one matrix, a plain LLaMA decoder, and score
/// tokens that are not the last ones.
private struct MadeUp: Backbone {
  static let name = "made up"
  static let modelTypes = ["made_up"]
  static func names(in checkpoint: Checkpoint) -> TensorNames { tensorNames }
  private static let tensorNames = TensorNames(
    embeddings: "words.weight", head: "out.weight",
    part: { name in
      name.hasPrefix("eye.")
        ? .vision
        : name.hasPrefix("nerve.")
          ? .connector
          : name.hasPrefix("out.") ? .head : .language(isForPictures: false)
    }, decays: { !$0.hasSuffix("bias") })

  let tower: CLIPSettings
  let decoder: LlamaSettings
  let readout: ScoreReadout?
  let template: any PromptTemplate = Owl2Prompt()

  var names: TensorNames { Self.tensorNames }

  init(_ source: BackboneSource) throws(ModelError) {
    let config = source.config
    tower = try CLIPSettings(
      try config.object("eye"),
      names: .init(
        patches: "eye.cut", classToken: "eye.class", positions: "eye.places", preNorm: "eye.before",
        postNorm: "eye.after", layers: "eye.layer",
        layer: .init(
          attentionNorm: "n1", queryKeyValue: .byHead("qkv"), output: "o", mlpNorm: "n2",
          expand: "up", reduce: "down")))
    decoder = try LlamaSettings(
      config,
      names: .init(
        embeddings: Self.tensorNames.embeddings, layers: "mind", norm: "mind.norm", head: "out"),
      vocabulary: source.vocabulary)
    let score = try config.size("score_id")
    readout = ScoreReadout(
      scoreID: score, ids: score + 1..<score + 6, axis: ScoreAxis(low: 1, high: 5, count: 5))
  }

  var sizes: BackboneSizes {
    BackboneSizes(
      vocabulary: decoder.vocabulary, maxPositions: decoder.maxPositions,
      pictureRows: tower.tokens - 1, isTied: false)
  }
  var facts: [(name: String, value: String)] { [("eye", tower.summary)] }

  func networks(_ reader: WeightReader, _ compute: Compute) -> Networks {
    Networks(
      vision: CLIPTower(reader, tower, compute),
      connector: Nerve(
        layer: reader.linear("nerve", outputs: decoder.width, inputs: tower.width),
        compute: compute),
      language: LlamaDecoder(reader, decoder, compute))
  }

  func preprocessing(_ checkpoint: Checkpoint) throws(ModelError) -> Preprocessing {
    Preprocessing(size: tower.edge, shape: .crop)
  }
}

/// Leaves out the class token.
private struct Nerve: Connector {
  let layer: Linear
  let compute: Compute
  let isTrained = false
  func operations(_ features: borrowing PictureRows) -> Double { 0 }

  func connect(
    _ features: borrowing PictureRows, trace: Trace?, tape: Tape?
  ) -> PictureRows {
    let counts = features.counts.map { $0 - 1 }
    let rows = compute.matrix(counts.reduce(0, +), layer.outputs)
    var start = 0
    for place in features.counts.indices {
      layer.apply(
        features.matrix, rows: features.picture(place).dropFirst(), into: rows, at: start, compute)
      start += counts[place]
    }
    return PictureRows(rows, counts: counts)
  }

  func backward(_ gradient: borrowing Matrix, tape: Tape) -> Matrix {
    preconditionFailure("nothing of it is trained")
  }
}

struct BackboneTests {
  private let folder: TemporaryFolder
  private let path: String
  private let compute: Compute

  /// Writes a checkpoint of the made-up network with random weights.
  init() throws {
    folder = try TemporaryFolder()
    compute = try Compute(threads: 2)
    path = "\(folder.path)/made-up"
    let tokenizer = try GeneratedTokenizer(words: ["good", "picture", "USER"], count: 400)
    let pieces = tokenizer.pieces.count
    let config: JSON = [
      "model_type": "made_up", "hidden_size": 32, "num_hidden_layers": 2,
      "num_attention_heads": 4, "num_key_value_heads": 2, "intermediate_size": 48,
      "vocab_size": .int(pieces + 10), "max_position_embeddings": 200, "score_id": .int(pieces),
      "eye": [
        "hidden_size": 24, "num_hidden_layers": 2, "num_attention_heads": 3,
        "intermediate_size": 40, "image_size": 28, "patch_size": 14,
      ],
    ]
    let reader = WeightReader(.empty, precision: .f32, compute: compute, isChecking: true)
    _ = try MadeUp(BackboneSource(ConfigReader(json: config, place: "config.json")))
      .networks(reader, compute)
    let plans = reader.requests.map { [compute] request in
      let count = request.shape.reduce(1, *)
      let noise = Noise(seed: 4, name: request.name, deviation: 0.2)
      return TensorPlan(
        name: request.name, dtype: .f32, shape: request.shape,
        values: noise.values(from: 0, count: count, compute))
    }
    var texts = TokenizerFiles.texts(added: TokenizerFiles.scoreTokens(5), first: pieces)
    texts["tokenizer.model"] = tokenizer.model
    texts["config.json"] = Array(config.line.utf8)
    texts["preprocessor_config.json"] = Array("{}".utf8)
    try CheckpointWriter(folder: path).write(CheckpointContents(weights: plans, texts: texts))
  }

  private func engine() throws -> Engine {
    try Engine(
      ModelLoader(folder: path, compute: compute, among: Backbones.all + [MadeUp.self]),
      compute: compute)
  }

  private func pixels(_ seed: UInt64) -> Pixels {
    Pixels(
      height: 28, width: 28,
      values: Noise(seed: seed, name: "pixels", deviation: 1)
        .values(from: 0, count: 3 * 28 * 28, compute))
  }

  @Test func aNetworkNeedsNoPlaceInTheLibrary() throws {
    let engine = try engine()
    let answer = try engine.answer(pixels(1), AnswerRequest(maxTokens: 12))
    #expect(answer.isFinite && !answer.outputIDs.isEmpty)
    // Another picture, another answer or at least other logits.
    let (one, two) = (Trace(), Trace())
    _ = try engine.answer(pixels(1), AnswerRequest(maxTokens: 2), trace: one)
    _ = try engine.answer(pixels(2), AnswerRequest(maxTokens: 2), trace: two)
    #expect(one.values["logits.prompt"] != two.values["logits.prompt"])
    // Drafts and the shared text before the picture change nothing.
    #expect(
      try engine.answer(pixels(1), AnswerRequest(maxTokens: 12, draft: [])).outputIDs
        == answer.outputIDs)
  }

  @Test func aNetworkThatIsNotListedIsRefusedByName() {
    let error = #expect(throws: ModelError.self) {
      _ = try ModelLoader(folder: path, compute: compute)
    }
    #expect(error?.description.contains("model_type is made_up, expected mplug_owl2") == true)
  }

  @Test func scoresAreReadByTheirIDs() throws {
    let engine = try engine()
    let readout = try #require(engine.parts.readout)
    #expect(readout.tokens == 5 && readout.ids.upperBound < engine.parts.language.vocabulary)
  }

  /// The made-up network, and one of each kind that roc knows.
  private func everyKind() throws -> [ModelParts] {
    let known = [Fixture.path("tiny-f32")] + Fixture.backbones.map(Fixture.backbone)
    return [try engine().parts] + (try known.map { try Engine(folder: $0).parts })
  }

  @Test func aBatchOfPicturesHasTheBitsOfEachAlone() throws {
    for parts in try everyKind() {
      // Of several sizes where the network takes them.
      let isFitted = parts.preprocessing.cropSize == 0
      let edge = isFitted ? 28 : parts.preprocessing.cropSize
      let pictures = (0..<3).map { seed in
        let (height, width) = isFitted ? (edge * (1 + seed), edge * 3) : (edge, edge)
        return Pixels(
          height: height, width: width,
          values: Noise(seed: UInt64(seed), name: "pixels", deviation: 1)
            .values(from: 0, count: 3 * height * width, compute))
      }
      let features = parts.vision.encode(pictures, trace: nil)
      let rows = parts.connector.connect(features, trace: nil)
      for (place, picture) in pictures.enumerated() {
        let alone = parts.vision.encode([picture], trace: nil)
        #expect(alone.matrix.array == features.matrix.copy(rows: features.picture(place)).array)
        let own = parts.connector.connect(alone, trace: nil)
        #expect(own.matrix.array == rows.matrix.copy(rows: rows.picture(place)).array)
      }
    }
  }

  @Test func aBatchOfSequencesHasTheBitsOfEachAlone() throws {
    for parts in try everyKind() {
      let language = parts.language
      let texts = [[5, 9, 11, 4], [7], [3, 2, 8]]
      func sequence(_ ids: [Int], wanted: Int) -> SequenceRows {
        SequenceRows([.text(ids.count)], cache: language.makeCache(rows: 2), wanted: wanted)
      }
      let batch = texts.map { sequence($0, wanted: 1) }
      let more = [[6], [1, 2], [9]]
      let first = language.run(language.embed(texts.flatMap { $0 }), batch, trace: nil)
      let next = zip(batch, more).map {
        SequenceRows([.text($1.count)], cache: $0.cache, wanted: $1.count)
      }
      let second = language.run(language.embed(more.flatMap { $0 }), next, trace: nil)
      var start = 0
      for (place, ids) in texts.enumerated() {
        let alone = sequence(ids, wanted: 1)
        let own = language.run(language.embed(ids), [alone], trace: nil)
        #expect(own.array == first.rowArray(place))
        let rest = more[place]
        let later = language.run(
          language.embed(rest),
          [SequenceRows([.text(rest.count)], cache: alone.cache, wanted: rest.count)], trace: nil)
        #expect(later.array == second.copy(rows: start..<start + rest.count).array)
        start += rest.count
      }
    }
  }
}
