#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// Memory that this process can still take, in bytes; nil where the system does not say.
///
/// A container or a scheduler's job may have less than the machine.
package func availableMemory() -> Int? {
  let machine = lines(of: "/proc/meminfo").first { $0.hasPrefix("MemAvailable:") }
    .flatMap { $0.split(separator: " ").compactMap { Int($0) }.first }.map { $0 * 1024 }
  return ([machine, addressSpaceLeft()] + groupLimits()).compactMap(\.self).min()
}

/// What `ulimit -v` leaves to this process; nil without such a limit.
private func addressSpaceLeft() -> Int? {
  var limit = rlimit()
  #if canImport(Glibc)
  let code = getrlimit(__rlimit_resource_t(RLIMIT_AS.rawValue), &limit)
  #else
  let code = getrlimit(RLIMIT_AS, &limit)
  #endif
  guard code == 0, limit.rlim_cur < 1 << 60 else { return nil }
  let pages = lines(of: "/proc/self/statm").first.flatMap { line in
    line.split(separator: " ").first.flatMap { Int($0) }
  }
  return max(Int(limit.rlim_cur) - (pages ?? 0) * Int(getpagesize()), 0)
}

/// What the control groups of this process, version 2 or 1, leave to it.
private func groupLimits() -> [Int?] {
  lines(of: "/proc/self/cgroup").flatMap { line -> [Int?] in
    let fields = line.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false)
    guard fields.count == 3 else { return [] }
    let isNew = fields[1].isEmpty
    guard isNew || fields[1].split(separator: ",").contains("memory") else { return [] }
    let root = isNew ? "/sys/fs/cgroup" : "/sys/fs/cgroup/memory"
    let names =
      isNew
      ? ("memory.max", "memory.current") : ("memory.limit_in_bytes", "memory.usage_in_bytes")
    var limits: [Int?] = []
    var path = String(fields[2])
    // A limit of any group above holds, too; inside a container only the root is seen.
    while true {
      let folder = path == "/" ? root : root + path
      if let most = number(in: "\(folder)/\(names.0)"), most < 1 << 60 {
        let used = number(in: "\(folder)/\(names.1)") ?? 0
        limits.append(max(most - used + reclaimable("\(folder)/memory.stat"), 0))
      }
      guard path != "/", let cut = path.lastIndex(of: "/") else { return limits }
      path = cut == path.startIndex ? "/" : String(path[..<cut])
    }
  }
}

/// File pages of a group, which the system drops when memory is asked for.
private func reclaimable(_ path: String) -> Int {
  lines(of: path).reduce(0) { sum, line in
    let words = line.split(separator: " ")
    guard words.count == 2, ["inactive_file", "active_file"].contains(words[0]) else { return sum }
    return sum + (Int(words[1]) ?? 0)
  }
}

private func number(in path: String) -> Int? { lines(of: path).first.flatMap { Int($0) } }

/// The lines of a file that the system generates; none when there is no such file.
private func lines(of path: String) -> [String] {
  guard let stream = fopen(path, "r") else { return [] }
  defer { fclose(stream) }
  var lines: [String] = []
  var line = [CChar](repeating: 0, count: 1024)
  while fgets(&line, Int32(line.count), stream) != nil {
    let text = String(
      decoding: line.prefix { $0 != 0 && $0 != 10 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    lines.append(text)
  }
  return lines
}

/// The instruction set that `ROC_KERNELS` asks for; nil when it is unset or empty.
package func requestedInstructionSet() -> String? {
  getenv("ROC_KERNELS").map { String(cString: $0) }.flatMap { $0.isEmpty ? nil : $0 }
}

/// Cores that this process may run on, as `taskset` or a scheduler set them; at least 1.
package func coreCount() -> Int {
  let online = max(Int(sysconf(Int32(_SC_NPROCESSORS_ONLN))), 1)
  let mark = "Cpus_allowed_list:"
  guard let line = lines(of: "/proc/self/status").first(where: { $0.hasPrefix(mark) }) else {
    return online
  }
  // The list also counts cores that are absent or switched off.
  let allowed = coreNumbers(line.dropFirst(mark.count))
  let present = lines(of: "/sys/devices/system/cpu/online").first.map { coreNumbers($0[...]) }
  let usable = present.map(allowed.intersection) ?? allowed
  return max(present == nil ? min(usable.count, online) : usable.count, 1)
}

/// The numbers of a list as the kernel writes it: `0-3,8`.
func coreNumbers(_ list: Substring) -> Set<Int> {
  let pieces = list.split { $0 == "," || $0 == "\t" || $0 == " " }
  return pieces.reduce(into: []) { all, piece in
    let ends = piece.split(separator: "-").compactMap { Int($0) }
    guard let first = ends.first, let last = ends.last, first <= last else { return }
    all.formUnion(first...last)
  }
}

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

/// Bytes as MB or GB with one decimal.
package func memorySize(_ bytes: Int) -> String {
  let isLarge = bytes >= 1_000_000_000
  let tenths = Int((Double(bytes) / (isLarge ? 1e8 : 1e5)).rounded(.up))
  return "\(tenths / 10).\(tenths % 10) \(isLarge ? "GB" : "MB")"
}

/// Waits a little, or until a signal comes.
package func pause(milliseconds: UInt32) { usleep(milliseconds * 1000) }
