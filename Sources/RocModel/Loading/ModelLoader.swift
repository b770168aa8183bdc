package import RocCheckpoint
import RocJSON
package import RocTensor
import RocTokenizer

/// A checkpoint whose every tensor was checked, not loaded yet.
package struct ModelLoader {
  package let checkpoint: Checkpoint
  /// Bytes the weights take in memory as float32.
  package let bytesNeeded: Int
  /// Tensors that no part of the model asked for.
  package let unexpected: [String]
  private let config: OwlModel.Config
  private let tokenizer: Tokenizer
  private let compute: Compute

  /// Reads every configuration file and checks names, shapes and formats of all tensors.
  ///
  /// - Throws: `ModelError.checkpoint` that names each missing and misshapen tensor.
  package init(folder: String, compute: Compute) throws(ModelError) {
    self.compute = compute
    // The config first: a checkpoint of another kind is named as such, whatever its weights are.
    guard fileExists(folder) else {
      throw .checkpoint("\(folder): there is no such checkpoint folder")
    }
    let reader: ConfigReader
    do throws(CheckpointError) {
      reader = ConfigReader(
        json: try readJSON("\(folder)/config.json"), place: "\(folder)/config.json")
    } catch {
      throw .checkpoint(error.message)
    }
    let modelType = reader.json["model_type"]?.string
    guard modelType == OwlModel.modelType else {
      throw .checkpoint(
        """
        \(reader.place): model_type is \(modelType ?? "missing"), expected \
        \(OwlModel.modelType); other architectures are not supported
        """)
    }
    config = try OwlModel.Config(reader)
    do throws(CheckpointError) {
      checkpoint = try Checkpoint(folder: folder)
    } catch {
      throw .checkpoint(error.message)
    }
    do throws(TokenizerError) {
      tokenizer = try Tokenizer(folder: folder)
    } catch {
      throw .checkpoint(error.message)
    }
    guard tokenizer.largestID < config.language.vocabulary else {
      throw .checkpoint(
        """
        \(folder): the tokenizer has \(tokenizer.count) tokens with ids up to \
        \(tokenizer.largestID), config.json only vocab_size \(config.language.vocabulary)
        """)
    }
    guard tokenizer.id(of: "[SCORE]") == config.scoreID else {
      let found = tokenizer.id(of: "[SCORE]").map { "the id \($0)" } ?? "no id"
      throw .checkpoint(
        """
        \(folder): [SCORE] has \(found) in added_tokens.json, config.json has score_id \
        \(config.scoreID)
        """)
    }
    let weights = WeightReader(checkpoint, compute: compute, isChecking: true)
    _ = OwlModel.networks(weights, config, compute)
    guard weights.problems.isEmpty else {
      throw .checkpoint(Self.list(weights.problems, folder: folder))
    }
    bytesNeeded = weights.bytes
    let asked = weights.asked
    unexpected = checkpoint.names.filter { !asked.contains($0) }
  }

  private static func list(_ problems: [String], folder: String) -> String {
    let shown = problems.prefix(20).map { "\n  \($0)" }.joined()
    let rest = problems.count > 20 ? "\n  … and \(problems.count - 20) more" : ""
    return "\(folder): \(problems.count) tensors do not fit the model:\(shown)\(rest)"
  }

  /// Widens and packs all weights.
  ///
  /// - Parameter available: Bytes that may be taken; nil where the system does not say.
  /// - Returns: The parts, ready to run.
  /// - Throws: `ModelError.memory` before anything is taken when the weights do not fit.
  package func load(available: Int? = availableMemory()) throws(ModelError) -> ModelParts {
    if let available, bytesNeeded > available {
      throw .memory(needed: bytesNeeded, available: available, folder: checkpoint.folder)
    }
    let preprocessing = try OwlModel.preprocessing(
      try checkpoint.config("preprocessor_config.json"), edge: config.vision.edge)
    let weights = WeightReader(checkpoint, compute: compute, isChecking: false)
    let (vision, abstractor, language) = OwlModel.networks(weights, config, compute)
    return ModelParts(
      vision: vision, connector: abstractor, language: language, template: OwlPrompt(),
      tokenizer: tokenizer, preprocessing: preprocessing,
      readout: ScoreReadout(scoreID: config.scoreID, tokens: config.tokens, axis: config.axis))
  }
}
