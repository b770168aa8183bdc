import CRocKernels

/// OpenBLAS for products of float32, the portable kernels for everything else: for CPUs whose
/// vectors have no set of their own here.
///
/// It is loaded only when asked for, so that nobody else needs it. Its blocks depend on how many
/// rows a product has: the last bits of a score may vary with the batch, as with no other set.
final class OpenBLASDevice: CPUDevice, @unchecked Sendable {
  static let name = "openblas"
  private let library: roc_openblas

  /// - Throws: `ComputeError.noLibrary` with the system's reason where it cannot be loaded.
  init(threads: Int) throws(ComputeError) {
    var library = roc_openblas()
    if let reason = roc_openblas_load(&library) { throw .noLibrary(String(cString: reason)) }
    guard let portable = roc_kernels_named("portable") else {
      throw .unknown(instructionSet: "portable")
    }
    self.library = library
    try super.init(kernels: portable, threads: threads)
  }

  override var name: String { Self.name }

  override func product(_ job: roc_product) {
    guard job.format == ROC_F32 else { return super.product(job) }
    var job = job
    var library = library
    let scratch = Scratch(floats: roc_openblas_scratch(threads))
    scratch.floats.map { roc_openblas_linear(team, kernels, &library, &job, $0) }
  }

  override func inputGradient(_ job: roc_input_gradient) {
    guard job.format == ROC_F32 else { return super.inputGradient(job) }
    var job = job
    var library = library
    roc_openblas_input_gradient(team, &library, &job)
  }

  override func weightGradient(_ job: roc_weight_gradient) {
    var job = job
    var library = library
    roc_openblas_weight_gradient(team, &library, &job)
  }
}
