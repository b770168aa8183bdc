import CRocKernels

/// Memory, and the list of operations on it: everything that a network, its derivatives and its
/// optimiser consist of.
///
/// A device implements each line once; the blocks of the networks are written over `Compute`, which
/// checks shapes and makes results, and never touch memory themselves. Jobs and pointers refer to
/// the device's own memory. What an operation computes and in which order it sums is said in
/// CRocKernels.h, whose portable set is the reference.
protocol Device: AnyObject, Sendable {
  /// What `ROC_KERNELS` and results call it.
  var name: String { get }
  /// Whether products of bf16 have an instruction of their own.
  var hasBF16: Bool { get }

  // MARK: Memory

  /// Memory of `bytes` bytes, 64-byte aligned, with any contents.
  func take(_ bytes: Int) -> UnsafeMutableRawPointer
  /// Takes back what `take` gave.
  func give(_ memory: UnsafeMutableRawPointer, _ bytes: Int)
  func copy(_ source: UnsafePointer<Float>, to target: UnsafeMutablePointer<Float>, _ count: Int)
  func clear(_ target: UnsafeMutablePointer<Float>, _ count: Int)
  /// From the host's memory.
  func upload(_ source: UnsafePointer<Float>, to target: UnsafeMutablePointer<Float>, _ count: Int)
  /// To the host's memory.
  func download(
    _ source: UnsafePointer<Float>, to target: UnsafeMutablePointer<Float>, _ count: Int)

  // MARK: Operations

  /// c = finish(a · Wᵀ + bias)
  func product(_ job: roc_product)
  /// Softmax(scale · Q Kᵀ) V for every head.
  func attend(_ job: roc_attention)
  /// y = (x - mean) / sqrt(variance + eps) · weight + bias, over rows [m][n].
  func layerNorm(_ job: NormJob, bias: UnsafePointer<Float>)
  /// y = x / sqrt(mean(x²) + eps) · weight, over rows [m][n].
  func rmsNorm(_ job: NormJob)
  /// Half rotation of the first heads of rows [m][stride].
  func rotate(_ job: RotationJob)
  /// y = x · sigmoid(1.702 x)
  func quickGELU(_ x: UnsafePointer<Float>, _ count: Int, into y: UnsafeMutablePointer<Float>)
  /// y = x · Φ(x), Φ the normal distribution
  func gelu(_ x: UnsafePointer<Float>, _ count: Int, into y: UnsafeMutablePointer<Float>)
  /// y = silu(gate) · up
  func siluGate(
    _ gate: UnsafePointer<Float>, _ up: UnsafePointer<Float>, _ count: Int,
    into y: UnsafeMutablePointer<Float>)
  /// y += x
  func add(_ x: UnsafePointer<Float>, _ count: Int, to y: UnsafeMutablePointer<Float>)
  /// x *= factor
  func scale(_ x: UnsafeMutablePointer<Float>, _ count: Int, by factor: Float)
  /// Rows [channel][y][x] of a picture's patches, in row order.
  func patches(_ job: PatchJob)
  /// Softmax of a few host values, those of the score tokens.
  func softmax(_ values: [Float]) -> [Float]

  /// Leaves values out, and makes the others larger.
  func drop(_ job: DropJob)

  // MARK: Derivatives

  /// dx = dy · W, or dx += dy · W
  func inputGradient(_ job: roc_input_gradient)
  /// panels += dyᵀ · x
  func weightGradient(_ job: roc_weight_gradient)
  func attendGradient(_ job: roc_attention_gradient)
  /// Of a LayerNorm where `isCentred`, else of an RMSNorm; adds to dx and the parameters'.
  func normGradient(_ job: NormGradientJob)
  /// gradient, that of quickGELU(x), becomes that of x.
  func quickGELUGradient(
    _ gradient: UnsafeMutablePointer<Float>, of x: UnsafePointer<Float>, _ count: Int)
  /// gradient, that of gelu(x), becomes that of x.
  func geluGradient(
    _ gradient: UnsafeMutablePointer<Float>, of x: UnsafePointer<Float>, _ count: Int)
  /// gate and up become their own gradients.
  func siluGateGradient(
    _ gradient: UnsafePointer<Float>, gate: UnsafeMutablePointer<Float>,
    up: UnsafeMutablePointer<Float>, _ count: Int)
  /// sums[n] += the columns of x [m][n]
  func addColumns(
    _ x: UnsafePointer<Float>, rows: Int, columns: Int, to sums: UnsafeMutablePointer<Float>)

  // MARK: Training

  func sumOfSquares(_ x: UnsafePointer<Float>, _ count: Int) -> Double
  func update(
    _ step: roc_adamw, values: UnsafeMutablePointer<Float>, gradient: UnsafeMutablePointer<Float>,
    moments: UnsafeMutablePointer<Float>, _ count: Int)
  func isFinite(_ values: UnsafeRawPointer, _ format: roc_dtype, _ count: Int) -> Bool

  // MARK: Weights

  /// Packs host weights [outputs][inputs]; false when one is infinite or NaN.
  func pack(
    _ weights: UnsafeRawPointer, _ dtype: roc_dtype, outputs: Int, inputs: Int,
    as format: roc_dtype, into packed: UnsafeMutableRawPointer
  ) -> Bool
  /// Float32 panels to rows in the host's memory.
  func unpack(
    _ panels: UnsafePointer<Float>, outputs: Int, inputs: Int,
    into rows: UnsafeMutablePointer<Float>)
  /// Float32 panels to bf16 panels.
  func round(
    _ panels: UnsafePointer<Float>, outputs: Int, inputs: Int,
    into packed: UnsafeMutableRawPointer)
}

/// Rows that are normalised, [m][n].
struct NormJob {
  let x: UnsafePointer<Float>
  let m: Int
  let n: Int
  let weight: UnsafePointer<Float>
  let epsilon: Float
  let y: UnsafeMutablePointer<Float>
}

/// Rows whose first heads are turned, [m][stride], with a row of angles each, [m][width / 2].
struct RotationJob {
  let x: UnsafeMutablePointer<Float>
  let m: Int
  let stride: Int
  let heads: Int
  let width: Int
  let cosine: UnsafePointer<Float>
  let sine: UnsafePointer<Float>
}

/// The derivative of a norm over rows [m][n].
struct NormGradientJob {
  let x: UnsafePointer<Float>
  let dy: UnsafePointer<Float>
  let m: Int
  let n: Int
  let weight: UnsafePointer<Float>
  let epsilon: Float
  /// Whether the mean is taken off, as a LayerNorm does.
  let isCentred: Bool
  let dx: UnsafeMutablePointer<Float>
  let dWeight: UnsafeMutablePointer<Float>?
  let dBias: UnsafeMutablePointer<Float>?
}

/// A picture [channels][height · width] to patches [rows · columns][channels · patch²].
struct PatchJob {
  let pixels: UnsafePointer<Float>
  let channels: Int
  let height: Int
  let width: Int
  let patch: Int
  let rows: UnsafeMutablePointer<Float>
}

/// Values of which some are left out, decided by their places alone.
struct DropJob {
  let x: UnsafeMutablePointer<Float>
  let count: Int
  /// SplitMix64's state before the first two values; each step decides two.
  let start: UInt64
  /// A value is left out where its half of the bits is below this.
  let limit: UInt64
  /// Of the values that stay.
  let factor: Float

  static let step: UInt64 = 0x9E37_79B9_7F4A_7C15

  /// SplitMix64's finaliser.
  static func mixed(_ value: UInt64) -> UInt64 {
    var z = value
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }
}
