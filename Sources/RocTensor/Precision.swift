import CRocKernels

/// The number format in which products are computed; sums are always float32 or wider.
package enum Precision: String, Sendable, CaseIterable {
  /// Float32 weights and inputs: equals the reference.
  case f32
  /// Weights and inputs rounded to bfloat16.
  case bf16
  /// 8-bit weights with a scale for each output, and 8-bit inputs with a scale for each row;
  /// inputs far beyond the rest of their row stay floats.
  case int8

  var kernelType: roc_dtype {
    switch self {
    case .f32: ROC_F32
    case .bf16: ROC_BF16
    case .int8: ROC_INT8
    }
  }

  /// Bytes that weights [outputs, inputs] take when packed.
  package func packedBytes(outputs: Int, inputs: Int) -> Int {
    roc_packed_bytes(kernelType, outputs, inputs)
  }
}
