import CRocKernels

/// A device and what is asked of it: operations on matrices that check shapes and make results.
package final class Compute: Sendable {
  let device: any Device
  package let threads: Int
  /// Whether attention beside rounded weights may be in bf16, too.
  package let attendsInBF16: Bool

  /// - Parameters:
  ///   - threads: Workers, the caller included; at least 1.
  ///   - instructionSet: One of `instructionSets`; when nil, the fastest of the CPU, or OpenBLAS if
  ///     it is there and the CPU runs only the portable set.
  ///   - attendsInBF16: When nil, whether the set multiplies bf16 natively.
  /// - Throws: `ComputeError` when the set is unknown or this machine lacks it.
  package init(
    threads: Int, instructionSet: String? = nil, attendsInBF16: Bool? = nil
  ) throws(ComputeError) {
    let cpu: CPUDevice
    if let name = instructionSet, name != OpenBLASDevice.name {
      guard let named = roc_kernels_named(name) else {
        throw roc_kernels_known(name) != 0
          ? .unsupported(instructionSet: name) : .unknown(instructionSet: name)
      }
      cpu = try CPUDevice(kernels: named, threads: threads)
    } else if instructionSet != nil {
      cpu = try OpenBLASDevice(threads: threads)
    } else if !Self.hasVectors, let library = try? OpenBLASDevice(threads: threads) {
      cpu = library
    } else {
      cpu = try CPUDevice(kernels: roc_kernels_best(), threads: threads)
    }
    device = cpu
    self.threads = cpu.threads
    self.attendsInBF16 = attendsInBF16 ?? cpu.hasBF16
  }

  /// The device where it is a CPU.
  var cpu: CPUDevice {
    guard let cpu = device as? CPUDevice else {
      preconditionFailure("\(device.name) is no CPU")
    }
    return cpu
  }

  /// The threads that work on the host's memory.
  var hostTeam: OpaquePointer { cpu.team }

  /// Whether this CPU runs any set but the portable one.
  private static var hasVectors: Bool {
    String(cString: roc_kernels_best().pointee.name) != "portable"
  }

  /// The names of all sets of this build, the fastest first; not every machine runs all of them.
  package static var instructionSets: [String] {
    var names: [String] = []
    while let name = roc_kernels_name(names.count) { names.append(String(cString: name)) }
    return names + [OpenBLASDevice.name]
  }

  /// The name of the instruction set in use.
  package var instructionSet: String { device.name }

  /// Whether the set multiplies bfloat16 natively.
  package var hasBF16: Bool { device.hasBF16 }
}

/// Why the arithmetic cannot run as asked.
package enum ComputeError: Error, CustomStringConvertible, Equatable {
  case unknown(instructionSet: String)
  case unsupported(instructionSet: String)
  case noLibrary(String)
  case threads(Int)

  package var description: String {
    switch self {
    case .unknown(let name):
      """
      there are no kernels called \(name), as ROC_KERNELS asks; the sets are \
      \(Compute.instructionSets.joined(separator: ", "))
      """
    case .unsupported(let name):
      "this CPU cannot run the \(name) kernels; leave ROC_KERNELS unset to use the best it can"
    case .noLibrary(let reason):
      "ROC_KERNELS asks for openblas: \(reason); install it: apt-get install libopenblas0"
    case .threads(let count):
      "the system refused to start \(count) threads; try fewer with --threads"
    }
  }
}
