import Foundation
import RocCheckpoint
import RocJSON
import RocTensor

extension TemporaryFolder {
  /// tiny-f32 without its last 11 tokens, `[SCORE]` and the score tokens: the base that the
  /// reference began with.
  ///
  /// - Parameter name: Of the new checkpoint in this folder.
  /// - Returns: Its path.
  /// - Throws: What reading and writing files throws.
  package func plainCheckpoint(as name: String) throws -> String {
    let base = try copy("tiny-f32", as: name)
    let weights = "\(base)/model.safetensors"
    let plans = try SafetensorsFile(path: weights).tensors.map { tensor in
      let isTable = ["model.embed_tokens.weight", "lm_head.weight"].contains(tensor.name)
      let shape = isTable ? [600, 64] : tensor.shape
      return TensorPlan(
        name: tensor.name, dtype: .f32, shape: shape,
        values: Array(tensor.widened.prefix(shape.reduce(1, *))))
    }
    try FileManager.default.removeItem(atPath: weights)
    try SafetensorsWriter.write(plans, to: weights)
    try "{}".write(toFile: "\(base)/added_tokens.json", atomically: true, encoding: .utf8)
    let roc = ["score_id", "img_token_num", "num_tokens", "min_score", "max_score"]
    let members = try Fixture.json("\(base)/config.json").members ?? []
    let plain = members.filter { !roc.contains($0.name) }
      .map { $0.name == "vocab_size" ? JSON.Member("vocab_size", 600) : $0 }
    try JSON.object(plain).pretty.write(
      toFile: "\(base)/config.json", atomically: true, encoding: .utf8)
    return base
  }
}
