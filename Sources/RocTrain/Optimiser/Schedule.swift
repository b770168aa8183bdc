#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// How the learning rate moves: the Hugging Face Trainer's `lr_scheduler_type`.
package struct Schedule: Sendable, Equatable {
  package enum Kind: String, Sendable, CaseIterable {
    case cosine
    case linear
    /// Does not warm up, whatever the ratio.
    case constant
    case constantWithWarmup = "constant_with_warmup"
  }

  package let kind: Kind
  /// Updates of the whole training.
  package let steps: Int
  /// Updates until the full rate.
  package let warmup: Int

  package init(_ kind: Kind, steps: Int, warmupRatio: Double) {
    self.kind = kind
    self.steps = steps
    warmup = kind == .constant ? 0 : Int((Double(steps) * warmupRatio).rounded(.up))
  }

  /// The factor of the learning rate at update `step`, counted from 0.
  package func factor(_ step: Int) -> Double {
    if step < warmup { return Double(step) / Double(max(1, warmup)) }
    let rest = Double(max(1, steps - warmup))
    switch kind {
    case .constant, .constantWithWarmup: return 1
    case .linear: return max(0, Double(steps - step) / rest)
    case .cosine: return max(0, 0.5 * (1 + cos(.pi * Double(step - warmup) / rest)))
    }
  }
}
