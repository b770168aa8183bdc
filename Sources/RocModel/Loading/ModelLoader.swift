package import RocCheckpoint
import RocFiles
package import RocImage
package import RocJSON
package import RocTensor
package import RocTokenizer

/// A checkpoint whose tensors have all been checked, but not loaded yet.
package struct ModelLoader {
  package let checkpoint: Checkpoint
  /// How products will be computed.
  package let precision: Precision
  /// Bytes the weights take in memory.
  package let bytesNeeded: Int
  /// Tensors that no part of the model asked for.
  package let unexpected: [String]
  /// Names of the weight matrices that stay in bf16 when the rest is in 8 bits.
  package let kept: [String]
  /// Bytes of weights that one decoding step reads: the language model without the weights for
  /// picture rows.
  var decodingBytes: Int {
    requests.reduce(0) { sum, request in
      guard case .matrix(let outputs, let inputs, let precision) = request.use,
        [.language(isForPictures: false), .head].contains(names.part(request.name))
      else { return sum }
      return sum + precision.packedBytes(outputs: outputs, inputs: inputs)
    }
  }

  /// Every tensor of the model.
  package let requests: [TensorRequest]
  /// Modules that get a low-rank update.
  package let updated: [String]
  package let backbone: any Backbone
  /// What its tensors are called.
  package var names: TensorNames { backbone.names }
  /// The checkpoint's score tokens; nil when it has none.
  package var readout: ScoreReadout? { backbone.readout }
  package let tokenizer: any Tokenizer
  /// What ends an answer; the first is what a taught answer ends with.
  package let endIDs: [Int]
  package var sizes: BackboneSizes { backbone.sizes }
  private let compute: Compute
  private let training: TrainingPlan?

  /// Reads every configuration file and checks names, shapes and formats of all tensors.
  ///
  /// - Parameters:
  ///   - folder: Of the checkpoint.
  ///   - compute: Kernels and threads.
  ///   - precision: What is asked for; nil for that of a converted checkpoint, else bf16 where the
  ///     CPU multiplies it natively, else f32.
  ///   - base: What an adapter is put on; what its own settings name when nil.
  ///   - training: What is to be trained; nil for a model that only scores.
  ///   - backbones: The networks that it may be.
  /// - Throws: `ModelError.checkpoint` that names each missing and misshapen tensor.
  package init(
    folder: String, compute: Compute, precision: Precision? = .f32, base: String? = nil,
    training: TrainingPlan? = nil, among backbones: [any Backbone.Type] = Backbones.all
  ) throws(ModelError) {
    let (checkpoint, backbone) = try Self.open(folder, base: base, among: backbones)
    let tokenizer = try Self.tokenizer(checkpoint, backbone)
    endIDs = try EndTokens.all(backbone, checkpoint, tokenizer)
    let chosen = try Self.precision(precision, of: checkpoint, compute)
    let weights = WeightReader(
      checkpoint, precision: chosen, compute: compute, isChecking: true, training: training)
    _ = backbone.networks(weights, compute)
    guard weights.problems.isEmpty else {
      throw .checkpoint(Self.list(weights.problems, folder: folder))
    }
    let asked = weights.asked
    self.checkpoint = checkpoint
    self.backbone = backbone
    self.tokenizer = tokenizer
    self.compute = compute
    self.training = training
    self.precision = chosen
    bytesNeeded = weights.bytes
    requests = weights.requests
    updated = weights.updated
    kept = weights.requests.filter { ($0.precision ?? chosen) != chosen }.map(\.name)
    unexpected = checkpoint.ownNames.filter { !asked.contains($0) }
  }

  /// The checkpoint and its config, which comes first: a checkpoint of another kind is reported as
  /// such, whatever its weights.
  static func open(
    _ folder: String, base: String?, among backbones: [any Backbone.Type] = Backbones.all
  ) throws(ModelError) -> (checkpoint: Checkpoint, backbone: any Backbone) {
    guard fileExists(folder) else {
      throw .checkpoint("\(folder): there is no such checkpoint folder")
    }
    let own = "\(folder)/config.json"
    // An adapter may leave the config to its base.
    let leavesConfig = !fileExists(own) && fileExists("\(folder)/adapter_config.json")
    let config = leavesConfig ? nil : try readConfig(own)
    // Before the weights: a network of another kind is reported as such.
    if let config { _ = try Backbones.find(config, among: backbones) }
    let found = try checkpoint(folder, base: base)
    let reader: ConfigReader
    if let config {
      reader = config
    } else {
      reader = try readConfig(found.path(of: "config.json"))
    }
    return try fitted(found, reader, try Backbones.find(reader, among: backbones))
  }

  /// A checkpoint with what its config says of its tables: tied ones are one tensor under two names,
  /// and an adapter may bring longer ones than its base's config says.
  private static func fitted(
    _ checkpoint: Checkpoint, _ reader: ConfigReader, _ kind: any Backbone.Type
  ) throws(ModelError) -> (checkpoint: Checkpoint, backbone: any Backbone) {
    let checkpoint = try kind.completed(checkpoint, reader)
    let names = kind.names(in: checkpoint)
    let (embeddings, head) = (names.embeddings, names.head)
    let isTied = try BackboneSource.isTied(reader)
    let rows = checkpoint.adapter?.replaced[embeddings]?.shape.first
    var vocabulary: Int?
    if let rows, rows <= 1 << 20, rows != reader.json["vocab_size"]?.int {
      let other = isTied ? rows : checkpoint[head]?.shape.first
      guard other == rows else {
        throw .checkpoint(
          """
          \(checkpoint.folder): the adapter brings \(rows) rows of \(embeddings), but \(head) has \
          \(other ?? 0); it needs the same rows for both (peft: modules_to_save or \
          save_embedding_layers)
          """)
      }
      vocabulary = rows
    }
    var whole = isTied ? checkpoint.tied(head, to: embeddings) : checkpoint
    whole.further = kind.furtherFiles
    return (whole, try kind.init(try BackboneSource(reader, whole, vocabulary: vocabulary)))
  }

  private static func checkpoint(
    _ folder: String, base: String?
  ) throws(ModelError) -> Checkpoint {
    do throws(CheckpointError) {
      return try Checkpoint(folder: folder, base: base)
    } catch {
      throw ModelError(error)
    }
  }

  private static func readConfig(_ path: String) throws(ModelError) -> ConfigReader {
    do throws(CheckpointError) {
      return ConfigReader(json: try readJSON(path), place: path)
    } catch {
      throw ModelError(error)
    }
  }

  static func tokenizer(
    _ checkpoint: Checkpoint, _ backbone: any Backbone
  ) throws(ModelError) -> any Tokenizer {
    let tokenizer: any Tokenizer
    do throws(TokenizerError) {
      tokenizer = try Tokenizers.read(
        folder: checkpoint.tokenizerFolder,
        prefersFast: type(of: backbone).furtherFiles.contains("tokenizer.json"),
        statesTokens: type(of: backbone).statesTokens)
    } catch {
      throw .checkpoint(error.message)
    }
    let vocabulary = backbone.sizes.vocabulary
    guard tokenizer.largestID < vocabulary else {
      throw .checkpoint(
        """
        \(checkpoint.folder): the tokenizer has \(tokenizer.count) tokens with ids up to \
        \(tokenizer.largestID), config.json only vocab_size \(vocabulary)
        """)
    }
    // Were the tokens passed over, pictures would be scored by levels, on another scale.
    if backbone.readout == nil, !backbone.readsLastRows, tokenizer.id(of: "[SCORE]") != nil {
      throw .checkpoint(
        """
        \(checkpoint.path(of: "config.json")): the tokenizer has [SCORE], but min_score and max_score \
        are missing; add them, as the score tokens were trained with
        """)
    }
    if let scoreID = backbone.readout?.scoreID, tokenizer.id(of: "[SCORE]") != scoreID {
      let found = tokenizer.id(of: "[SCORE]").map { "the id \($0)" } ?? "no id"
      throw .checkpoint(
        """
        \(checkpoint.folder): [SCORE] has \(found) in the tokenizer, config.json has score_id \
        \(scoreID)
        """)
    }
    return tokenizer
  }

  /// Every tensor of the model that config.json describes.
  package static func requests(
    of config: JSON, compute: Compute
  ) throws(ModelError) -> [TensorRequest] {
    let weights = WeightReader(.empty, precision: .f32, compute: compute, isChecking: true)
    let reader = ConfigReader(json: config, place: "config.json")
    let kind = try Backbones.find(reader, among: Backbones.all)
    _ = try kind.init(try BackboneSource(reader)).networks(weights, compute)
    return weights.requests
  }

  static func precision(
    _ asked: Precision?, of checkpoint: Checkpoint, _ compute: Compute
  ) throws(ModelError) -> Precision {
    guard let layout = checkpoint.layout else {
      return asked ?? (compute.hasBF16 ? .bf16 : .f32)
    }
    guard layout.version == Checkpoint.panelLayout,
      let stored = Precision(rawValue: layout.precision)
    else {
      throw .checkpoint(
        """
        \(checkpoint.folder): the weights are packed as \(layout.version) \(layout.precision), \
        this version reads \(Checkpoint.panelLayout); convert the original checkpoint again
        """)
    }
    guard asked == nil || asked == stored else {
      throw .request(
        """
        \(checkpoint.folder): the weights are packed for \(stored.rawValue); leave --precision at \
        auto, or use the checkpoint that was converted
        """)
    }
    return stored
  }

  private static func list(_ problems: [String], folder: String) -> String {
    let shown = problems.prefix(20).map { "\n  \($0)" }.joined()
    let rest = problems.count > 20 ? "\n  … and \(problems.count - 20) more" : ""
    return "\(folder): \(problems.count) tensors do not fit the model:\(shown)\(rest)"
  }

  /// Whether the weights fit.
  ///
  /// - Parameter available: Bytes that may be taken; nil where the system does not say.
  /// - Throws: `ModelError.memory` when they do not.
  package func checkMemory(available: Int? = availableMemory()) throws(ModelError) {
    guard let available, bytesNeeded > available else { return }
    throw .memory(
      needed: bytesNeeded, available: available, folder: checkpoint.folder, precision: precision,
      isPacked: checkpoint.layout != nil)
  }

  /// How the model wants its pictures.
  ///
  /// - Throws: `ModelError.checkpoint` when preprocessor_config.json is missing or contradicts
  ///   config.json.
  package func preprocessing() throws(ModelError) -> Preprocessing {
    let own = try backbone.preprocessing(checkpoint)
    return if let mostPixels { try own.limited(to: mostPixels) } else { own }
  }

  /// The most pixels of a picture; nil for what preprocessor_config.json says.
  package var mostPixels: Int?

  /// Rounds and packs all weights, or maps those that are packed.
  ///
  /// - Parameter available: Bytes that may be taken; nil where the system does not say.
  /// - Returns: The parts, ready to run.
  /// - Throws: `ModelError.memory`, before anything is taken, when the weights do not fit.
  package func load(available: Int? = availableMemory()) throws(ModelError) -> ModelParts {
    try checkMemory(available: available)
    let preprocessing = try preprocessing()
    let weights = WeightReader(
      checkpoint, precision: precision, compute: compute, isChecking: false, training: training)
    let networks = backbone.networks(weights, compute)
    guard weights.problems.isEmpty else {
      throw .checkpoint(Self.list(weights.problems, folder: checkpoint.folder))
    }
    return ModelParts(
      vision: networks.vision, connector: networks.connector, language: networks.language,
      template: backbone.template, tokenizer: tokenizer,
      endIDs: endIDs, preprocessing: preprocessing,
      pictureRows: sizes.pictureRows, names: names,
      backboneName: type(of: backbone).name, compute: compute, readout: backbone.readout,
      trained: weights.trained)
  }
}
