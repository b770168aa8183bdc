import CRocKernels

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// Memory that programs can still take, in bytes; nil where the system does not say.
package func availableMemory() -> Int? {
  guard let stream = fopen("/proc/meminfo", "r") else { return nil }
  defer { fclose(stream) }
  var line = [CChar](repeating: 0, count: 256)
  while fgets(&line, Int32(line.count), stream) != nil {
    let text = String(
      decoding: line.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    guard text.hasPrefix("MemAvailable:") else { continue }
    return text.split(separator: " ").compactMap { Int($0) }.first.map { $0 * 1024 }
  }
  return nil
}

/// Cores that this process may run on, as `taskset` or a scheduler set them.
package func coreCount() -> Int { Int(roc_core_count()) }

/// The most memory that this process has held so far, in bytes; 0 where the system does not say.
package func peakResidentMemory() -> Int {
  var usage = rusage()
  #if canImport(Darwin)
  guard getrusage(RUSAGE_SELF, &usage) == 0 else { return 0 }
  return usage.ru_maxrss
  #else
  guard getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage) == 0 else { return 0 }
  return usage.ru_maxrss * 1024
  #endif
}
