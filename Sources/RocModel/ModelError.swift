package import RocCheckpoint
import RocFiles
package import RocTensor

/// Why a model cannot be loaded or asked.
package enum ModelError: Error, CustomStringConvertible, Equatable, Sendable {
  /// The folder's files are missing, cut, or contradict each other.
  case checkpoint(String)
  /// The weights do not fit into the machine's free memory.
  case memory(
    needed: Int, available: Int, folder: String, precision: Precision, isPacked: Bool = false)
  /// A new checkpoint cannot be written.
  case output(CheckpointError)
  /// One picture does not fit this model.
  case picture(String)
  /// The machine is too short of files or memory to read a picture, or its disk failed.
  case machine(String)
  /// The question or setting cannot be answered by this model.
  case request(String)

  package var description: String {
    switch self {
    case .checkpoint(let message), .request(let message), .picture(let message),
      .machine(let message):
      message
    case .output(let error): error.message
    case .memory(let needed, let available, let folder, let precision, let isPacked):
      """
      \(folder): the weights need \(memorySize(needed)) as \(precision.rawValue) and this machine \
      has \(memorySize(available)) free; \(isPacked ? Self.packedAdvice : Self.advice(precision))
      """
    }
  }
}

extension ModelError {
  /// Why a checkpoint cannot be read.
  init(_ error: CheckpointError) {
    self = error.kind == .machine ? .machine(error.message) : .checkpoint(error.message)
  }

  private static let packedAdvice =
    "the checkpoint is packed for this precision; convert its original to a smaller one"

  private static func advice(_ precision: Precision) -> String {
    switch precision {
    case .f32: "--precision bf16 needs half as much, int8 a quarter"
    case .bf16: "--precision int8 needs half as much"
    case .int8: "close other programs or use a machine with more memory"
    }
  }
}
