/// The tensors of one weight file, whatever its format: told by its first bytes, not by its name.
package struct WeightFile: Sendable {
  package let path: String
  package let tensors: [Tensor]
  /// Of a safetensors file.
  package let metadata: [String: String]

  /// - Throws: `CheckpointError` that names the file and what is wrong with it.
  package init(path: String) throws(CheckpointError) {
    let file = try map(path)
    self.path = path
    if TorchFile.isZip(file) || TorchFile.isPickle(file) {
      tensors = try TorchFile(file).tensors
      metadata = [:]
    } else {
      let safetensors = try SafetensorsFile(file)
      tensors = safetensors.tensors
      metadata = safetensors.metadata
    }
  }
}
