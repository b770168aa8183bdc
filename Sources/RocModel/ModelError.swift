/// Why a model cannot be loaded or asked.
package enum ModelError: Error, CustomStringConvertible, Equatable, Sendable {
  /// The folder's files are missing, cut, or contradict each other.
  case checkpoint(String)
  /// The weights do not fit into the machine's free memory.
  case memory(needed: Int, available: Int, folder: String)
  /// The question or setting cannot be answered by this model.
  case request(String)

  package var description: String {
    switch self {
    case .checkpoint(let message), .request(let message): message
    case .memory(let needed, let available, let folder):
      """
      \(folder): the weights need \(gigabytes(needed)) GB as f32 and this machine has \
      \(gigabytes(available)) GB free; close other programs or use a machine with more memory
      """
    }
  }
}

/// Bytes as GB with one decimal.
package func gigabytes(_ bytes: Int) -> String {
  let tenths = Int((Double(bytes) / 1e8).rounded())
  return "\(tenths / 10).\(tenths % 10)"
}
