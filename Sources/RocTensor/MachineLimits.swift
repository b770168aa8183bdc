import CRocKernels
import Synchronization

/// What this machine can do at most with one instruction set and a number of threads.
package struct MachineLimits: Sendable {
  private let cpu: CPUDevice

  /// - Parameter compute: On the CPU.
  package init(_ compute: Compute) { cpu = compute.cpu }

  /// Multiplications and additions a second in registers, the best of `rounds` trials.
  package func operations(_ precision: Precision, rounds: Int = 5) -> Double {
    nonisolated(unsafe) let kernels = cpu.kernels
    let format = precision.kernelType
    let done = Counter()
    let best = best(rounds) { done.set(kernels.pointee.peak(format, 2_000_000)) }
    return done.value * Double(cpu.threads) / best
  }

  /// Bytes a second that all threads read from memory together, the best of `rounds` trials.
  package func readBandwidth(rounds: Int = 3) -> Double {
    // Far beyond any cache, a part for each thread.
    let part = (256 << 20) / cpu.threads / 4 / 128 * 128
    let memory = Matrix(on: cpu, cpu.threads, part)
    cpu.clear(memory.values, memory.count)
    nonisolated(unsafe) let start = memory.values
    nonisolated(unsafe) let kernels = cpu.kernels
    let next = Counter()
    let best = best(rounds) {
      let index = Int(next.increase()) % self.cpu.threads
      _ = kernels.pointee.read(start + index * part, part)
    }
    extendLifetime(memory)
    return Double(cpu.threads * part * 4) / best
  }

  /// A number that threads share.
  private final class Counter: @unchecked Sendable {
    private let lock = Mutex(0.0)
    var value: Double { lock.withLock { $0 } }
    func set(_ value: Double) { lock.withLock { $0 = value } }
    func increase() -> Double {
      lock.withLock { value in
        defer { value += 1 }
        return value
      }
    }
  }

  /// Seconds that the fastest trial takes in which every thread runs `work` once.
  private func best(_ rounds: Int, _ work: @escaping @Sendable () -> Void) -> Double {
    final class Box: Sendable {
      let work: @Sendable () -> Void
      init(_ work: @escaping @Sendable () -> Void) { self.work = work }
    }
    let box = Box(work)
    let clock = ContinuousClock()
    let times = (0..<rounds).map { _ in
      clock.measure {
        roc_team_run(
          cpu.team, cpu.threads,
          { context, _, _ in Unmanaged<Box>.fromOpaque(context).takeUnretainedValue().work() },
          Unmanaged.passUnretained(box).toOpaque())
      } / .seconds(1)
    }
    extendLifetime(box)
    return times.min() ?? .infinity
  }
}
