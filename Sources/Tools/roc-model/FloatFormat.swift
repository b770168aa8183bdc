import ArgumentParser
import RocTensor

/// The number formats that ordinary weights are written in.
enum FloatFormat: String, ExpressibleByArgument, CaseIterable {
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
