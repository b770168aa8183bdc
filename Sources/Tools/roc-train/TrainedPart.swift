import ArgumentParser
import RocTensor

/// What is trained.
enum TrainedPart: String, ExpressibleByArgument, CaseIterable {
  case full
  case lora
  case head

  /// The learning rate unless one is given.
  var usualRate: Double {
    switch self {
    case .full: 2e-5
    case .lora: 2e-4
    case .head: 1e-3
    }
  }
}

enum PrecisionChoice: String, ExpressibleByArgument, CaseIterable {
  case f32
  case bf16
  case int8
}

enum SaveType: String, ExpressibleByArgument, CaseIterable {
  case f32
  case f16
  case bf16

  var dtype: DType {
    switch self {
    case .f32: .f32
    case .f16: .f16
    case .bf16: .bf16
    }
  }
}
