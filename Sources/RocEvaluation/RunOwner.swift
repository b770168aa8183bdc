#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// A process that scores, as its leases name it.
///
/// The name says on which machine and in which space of process numbers its number counts, so that
/// another process there can tell at once that it is gone.
package enum RunOwner {
  /// This process.
  package static func own() -> String { "\(place) \(getpid()) \(startTime(getpid()) ?? "")" }

  /// Whether the process of a name has ended; false where that cannot be known.
  package static func isGone(_ name: String) -> Bool {
    let parts = name.split(separator: " ").map(String.init)
    guard parts.count == 3, parts[0] == place, let number = pid_t(parts[1]) else { return false }
    guard let start = startTime(number) else { return true }
    // The number may have been given to another process meanwhile.
    return start != parts[2]
  }

  /// The machine since its start, and the space of process numbers.
  private static var place: String {
    "\(line("/proc/sys/kernel/random/boot_id") ?? "?"):\(link("/proc/self/ns/pid") ?? "?")"
  }

  /// When a process began, in ticks since the machine did.
  private static func startTime(_ process: pid_t) -> String? {
    guard let text = line("/proc/\(process)/stat"), let end = text.lastIndex(of: ")") else {
      return nil
    }
    // The name of the program may hold blanks; the 20th field after it is the start.
    let fields = text[text.index(after: end)...].split(separator: " ")
    guard fields.count > 19, fields[0] != "Z" else { return nil }
    return String(fields[19])
  }

  private static func line(_ path: String) -> String? {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { return nil }
    defer { close(descriptor) }
    var bytes = [UInt8](repeating: 0, count: 4096)
    let count = read(descriptor, &bytes, bytes.count)
    guard count > 0 else { return nil }
    return String(decoding: bytes[..<count].prefix { $0 != 0x0A }, as: UTF8.self)
  }

  private static func link(_ path: String) -> String? {
    var bytes = [CChar](repeating: 0, count: 256)
    let count = readlink(path, &bytes, bytes.count)
    guard count > 0 else { return nil }
    return String(decoding: bytes[..<count].map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }
}
