import CRocKernels

/// The CPU: the kernels of one instruction set, spread over a team of threads.
class CPUDevice: Device, @unchecked Sendable {
  let kernels: UnsafePointer<roc_kernels>
  let team: OpaquePointer
  let threads: Int

  /// - Throws: `ComputeError.threads` when the system refuses one.
  init(kernels: UnsafePointer<roc_kernels>, threads: Int) throws(ComputeError) {
    guard let team = roc_team_create(max(threads, 1)) else { throw .threads(threads) }
    self.kernels = kernels
    self.team = team
    self.threads = roc_team_size(team)
  }

  deinit { roc_team_destroy(team) }

  var name: String { String(cString: kernels.pointee.name) }
  var hasBF16: Bool { roc_kernels_have_bf16(kernels) != 0 }

  // MARK: Memory

  func take(_ bytes: Int) -> UnsafeMutableRawPointer { Buffers.take(bytes) }
  func give(_ memory: UnsafeMutableRawPointer, _ bytes: Int) { Buffers.give(memory, bytes) }

  func copy(_ source: UnsafePointer<Float>, to target: UnsafeMutablePointer<Float>, _ count: Int) {
    target.update(from: source, count: count)
  }

  func clear(_ target: UnsafeMutablePointer<Float>, _ count: Int) {
    target.update(repeating: 0, count: count)
  }

  func upload(_ source: UnsafePointer<Float>, to target: UnsafeMutablePointer<Float>, _ count: Int)
  {
    target.update(from: source, count: count)
  }

  func download(
    _ source: UnsafePointer<Float>, to target: UnsafeMutablePointer<Float>, _ count: Int
  ) { target.update(from: source, count: count) }

  // MARK: Operations

  func product(_ job: roc_product) {
    var job = job
    let scratch = Scratch(bytes: roc_product_scratch(kernels, job.format, job.m, job.k))
    roc_linear(team, kernels, &job, scratch.bytes)
  }

  func attend(_ job: roc_attention) {
    var job = job
    let scratch = Scratch(floats: threads * roc_attention_scratch(kernels, &job))
    scratch.floats.map { roc_attend(team, kernels, &job, $0) }
  }

  func layerNorm(_ job: NormJob, bias: UnsafePointer<Float>) {
    roc_layer_norm_rows(
      team, kernels, job.x, job.m, job.n, job.weight, bias, job.epsilon, job.y)
  }

  func rmsNorm(_ job: NormJob) {
    roc_rms_norm_rows(team, kernels, job.x, job.m, job.n, job.weight, job.epsilon, job.y)
  }

  func rotate(_ job: RotationJob) {
    roc_rotate_rows(
      team, kernels, job.x, job.m, job.stride, job.heads, job.width, job.cosine, job.sine)
  }

  func quickGELU(_ x: UnsafePointer<Float>, _ count: Int, into y: UnsafeMutablePointer<Float>) {
    roc_quick_gelu(team, kernels, x, count, y)
  }

  func gelu(_ x: UnsafePointer<Float>, _ count: Int, into y: UnsafeMutablePointer<Float>) {
    roc_gelu(team, kernels, x, count, y)
  }

  func siluGate(
    _ gate: UnsafePointer<Float>, _ up: UnsafePointer<Float>, _ count: Int,
    into y: UnsafeMutablePointer<Float>
  ) { roc_silu_gate(team, kernels, gate, up, count, y) }

  func add(_ x: UnsafePointer<Float>, _ count: Int, to y: UnsafeMutablePointer<Float>) {
    roc_add_columns(team, kernels, x, 1, count, y)
  }

  func scale(_ x: UnsafeMutablePointer<Float>, _ count: Int, by factor: Float) {
    for i in 0..<count { x[i] *= factor }
  }

  func patches(_ job: PatchJob) {
    let (patch, down, across) = (job.patch, job.height / job.patch, job.width / job.patch)
    let values = job.channels * patch * patch
    for place in 0..<down * across {
      let (top, left) = (place / across, place % across)
      for channel in 0..<job.channels {
        let plane = job.pixels + channel * job.height * job.width
        for y in 0..<patch {
          let source = plane + (top * patch + y) * job.width + left * patch
          (job.rows + place * values + (channel * patch + y) * patch)
            .update(from: source, count: patch)
        }
      }
    }
  }

  func softmax(_ values: [Float]) -> [Float] {
    var result = values
    result.withUnsafeMutableBufferPointer { buffer in
      guard let base = buffer.baseAddress else { return }
      kernels.pointee.softmax(base, buffer.count, 1)
    }
    return result
  }

  func drop(_ job: DropJob) {
    var state = job.start
    for i in stride(from: 0, to: job.count, by: 2) {
      state &+= DropJob.step
      let bits = DropJob.mixed(state)
      job.x[i] = bits & 0xFFFF_FFFF < job.limit ? 0 : job.x[i] * job.factor
      guard i + 1 < job.count else { break }
      job.x[i + 1] = bits >> 32 < job.limit ? 0 : job.x[i + 1] * job.factor
    }
  }

  // MARK: Derivatives

  func inputGradient(_ job: roc_input_gradient) {
    var job = job
    let scratch = Scratch(floats: threads * roc_input_gradient_scratch(job.n))
    scratch.floats.map { roc_linear_input_gradient(team, kernels, &job, $0) }
  }

  func weightGradient(_ job: roc_weight_gradient) {
    var job = job
    let scratch = Scratch(floats: roc_weight_gradient_scratch(threads, job.m, job.k))
    scratch.floats.map { roc_linear_weight_gradient(team, kernels, &job, $0) }
  }

  func attendGradient(_ job: roc_attention_gradient) {
    var job = job
    let scratch = Scratch(floats: threads * roc_attention_gradient_scratch(&job.shape))
    scratch.floats.map { roc_attend_gradient(team, kernels, &job, $0) }
  }

  func normGradient(_ job: NormGradientJob) {
    let products = Scratch(floats: job.m * job.n)
    guard let scratch = products.floats else { return }
    roc_norm_gradient_rows(
      team, kernels, job.x, job.dy, job.m, job.n, job.weight, job.epsilon, job.isCentred ? 1 : 0,
      job.dx, scratch, job.dWeight, job.dBias)
  }

  func quickGELUGradient(
    _ gradient: UnsafeMutablePointer<Float>, of x: UnsafePointer<Float>, _ count: Int
  ) { roc_quick_gelu_gradient(team, kernels, x, gradient, count) }

  func geluGradient(
    _ gradient: UnsafeMutablePointer<Float>, of x: UnsafePointer<Float>, _ count: Int
  ) { roc_gelu_gradient(team, kernels, x, gradient, count) }

  func siluGateGradient(
    _ gradient: UnsafePointer<Float>, gate: UnsafeMutablePointer<Float>,
    up: UnsafeMutablePointer<Float>, _ count: Int
  ) { roc_silu_gate_gradient(team, kernels, gate, up, gradient, count) }

  func addColumns(
    _ x: UnsafePointer<Float>, rows: Int, columns: Int, to sums: UnsafeMutablePointer<Float>
  ) { roc_add_columns(team, kernels, x, rows, columns, sums) }

  // MARK: Training

  func sumOfSquares(_ x: UnsafePointer<Float>, _ count: Int) -> Double {
    roc_sum_of_squares(team, kernels, x, count)
  }

  func update(
    _ step: roc_adamw, values: UnsafeMutablePointer<Float>, gradient: UnsafeMutablePointer<Float>,
    moments: UnsafeMutablePointer<Float>, _ count: Int
  ) {
    var step = step
    roc_adamw_step(team, kernels, &step, values, gradient, moments, count)
  }

  func isFinite(_ values: UnsafeRawPointer, _ format: roc_dtype, _ count: Int) -> Bool {
    roc_all_finite(team, values, format, count) != 0
  }

  // MARK: Weights

  func pack(
    _ weights: UnsafeRawPointer, _ dtype: roc_dtype, outputs: Int, inputs: Int,
    as format: roc_dtype, into packed: UnsafeMutableRawPointer
  ) -> Bool { roc_pack(team, weights, dtype, outputs, inputs, format, packed) != 0 }

  func unpack(
    _ panels: UnsafePointer<Float>, outputs: Int, inputs: Int,
    into rows: UnsafeMutablePointer<Float>
  ) { roc_unpack_f32(team, panels, outputs, inputs, rows) }

  func round(
    _ panels: UnsafePointer<Float>, outputs: Int, inputs: Int,
    into packed: UnsafeMutableRawPointer
  ) { roc_round_panels(team, kernels, panels, outputs, inputs, packed) }
}

/// Memory for the length of one operation; nil for no bytes.
@safe
struct Scratch: ~Copyable {
  let bytes: UnsafeMutableRawPointer?
  private let count: Int

  init(bytes count: Int) {
    self.count = count
    bytes = count > 0 ? Buffers.take(count) : nil
  }

  init(floats count: Int) { self.init(bytes: count * MemoryLayout<Float>.stride) }

  deinit {
    if let bytes { Buffers.give(bytes, count) }
  }

  var floats: UnsafeMutablePointer<Float>? {
    bytes?.bindMemory(to: Float.self, capacity: count / MemoryLayout<Float>.stride)
  }
}
