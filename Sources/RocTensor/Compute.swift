package import CRocKernels

/// The kernels of one instruction set and the threads that run them.
package final class Compute: @unchecked Sendable {
  package let kernels: UnsafePointer<roc_kernels>
  let team: OpaquePointer
  package let threads: Int
  /// Whether attention beside rounded weights may be in bf16, too.
  package let attendsInBF16: Bool

  /// - Parameters:
  ///   - threads: Workers, the caller included; at least 1.
  ///   - instructionSet: One of `instructionSets`; the fastest of the CPU when nil.
  ///   - attendsInBF16: Where the set multiplies bf16 by itself when nil.
  /// - Throws: `ComputeError` when the set is unknown or the CPU lacks it.
  package init(
    threads: Int, instructionSet: String? = nil, attendsInBF16: Bool? = nil
  ) throws(ComputeError) {
    if let name = instructionSet {
      guard let named = roc_kernels_named(name) else {
        throw roc_kernels_known(name) != 0
          ? .unsupported(instructionSet: name) : .unknown(instructionSet: name)
      }
      kernels = named
    } else {
      kernels = roc_kernels_best()
    }
    guard let team = roc_team_create(max(threads, 1)) else { throw .threads(threads) }
    self.team = team
    self.attendsInBF16 = attendsInBF16 ?? (roc_kernels_have_bf16(kernels) != 0)
    self.threads = roc_team_size(team)
  }

  deinit { roc_team_destroy(team) }

  /// The names of all sets of this build, the fastest first; not every CPU runs all of them.
  package static var instructionSets: [String] {
    var names: [String] = []
    while let name = roc_kernels_name(names.count) { names.append(String(cString: name)) }
    return names
  }

  /// The name of the instruction set in use.
  package var instructionSet: String { String(cString: kernels.pointee.name) }
}

/// Why the arithmetic cannot run as asked.
package enum ComputeError: Error, CustomStringConvertible, Equatable {
  case unknown(instructionSet: String)
  case unsupported(instructionSet: String)
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
    case .threads(let count):
      "the system refused to start \(count) threads; try fewer with --threads"
    }
  }
}
