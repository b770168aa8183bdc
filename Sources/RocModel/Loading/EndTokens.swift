import RocCheckpoint
import RocFiles
import RocJSON
import RocTokenizer

/// What ends an answer, as a checkpoint states it.
enum EndTokens {
  /// `eos_token_id` of generation_config.json, else of config.json, else the tokenizer's own; a
  /// number or a list.
  ///
  /// - Throws: `ModelError.checkpoint` where it is neither, or there is none at all.
  static func read(
    _ checkpoint: Checkpoint, _ tokenizer: any Tokenizer
  ) throws(ModelError) -> [Int] {
    for name in ["generation_config.json", "config.json"] {
      let path = checkpoint.path(of: name)
      guard fileExists(path) else { continue }
      let config = try checkpoint.config(name)
      let key = "eos_token_id"
      guard let value = config.json[key] ?? config.json["text_config"]?[key], !value.isNull else {
        continue
      }
      let ids = value.array?.compactMap(\.int) ?? value.int.map { [$0] } ?? []
      guard !ids.isEmpty, ids.count == value.array?.count ?? 1, ids.allSatisfy({ $0 >= 0 }) else {
        throw .checkpoint(
          "\(path): eos_token_id is \(value.line.prefix(60)), expected an id or a list of ids")
      }
      return ids
    }
    guard let id = tokenizer.endID else { throw missing(checkpoint) }
    return [id]
  }

  static func missing(_ checkpoint: Checkpoint) -> ModelError {
    .checkpoint(
      """
      \(checkpoint.folder): neither generation_config.json nor config.json has an eos_token_id, \
      and the tokenizer no eos_token: nothing would end an answer
      """)
  }

  /// What a backbone states, after what its answers are taught to end with.
  ///
  /// - Throws: `ModelError.checkpoint` for ids that no logit stands for.
  static func all(
    _ backbone: any Backbone, _ checkpoint: Checkpoint, _ tokenizer: any Tokenizer
  ) throws(ModelError) -> [Int] {
    let stated = try backbone.endIDs(checkpoint, tokenizer)
    if let id = stated.first(where: { $0 >= backbone.sizes.vocabulary }) {
      throw .checkpoint(
        """
        \(checkpoint.folder): eos_token_id \(id) is beyond the \(backbone.sizes.vocabulary) tokens of \
        config.json
        """)
    }
    guard let taught = tokenizer.id(of: backbone.template.answerEnd) else { return stated }
    return [taught] + stated.filter { $0 != taught }
  }
}
