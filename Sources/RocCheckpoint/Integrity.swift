import CZlib
import Dispatch
import RocDigest
import RocFiles
import Synchronization

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// Whether weight files still hold what was written, as far as anybody can know.
///
/// PyTorch's archives have a CRC-32 of every entry, and Hugging Face's cache names large files by
/// their SHA-256. Safetensors have no checksum of their own.
package enum Integrity {
  /// Whether files that were found whole before are looked at again.
  package enum Rule: Sendable {
    case always
    /// Not while they have the same inode, size and time.
    case once
  }

  /// Reads weight files and holds them against their checksums.
  ///
  /// - Parameters:
  ///   - checkpoint: Its own files, and those of an adapter's base and of towers elsewhere.
  ///   - rule: Whether known files are passed over.
  ///   - note: Told once before it takes seconds.
  /// - Throws: `CheckpointError` that names the file and the tensor that is damaged.
  package static func check(
    _ checkpoint: Checkpoint, _ rule: Rule, note: (String) -> Void
  ) throws(CheckpointError) {
    var memory = rule == .once ? Memory() : nil
    var jobs: [Job] = []
    var stamps: [String] = []
    for path in checkpoint.weightPaths {
      guard let stamp = FileFacts(path)?.stamp, memory?.knows(stamp) != true else { continue }
      let own = try self.jobs(path)
      guard !own.isEmpty else { continue }
      jobs += own
      stamps.append(stamp)
    }
    let bytes = jobs.reduce(0) { $0 + $1.range.count }
    if bytes > 1 << 30 {
      note("checking \(memorySize(bytes)) of \(checkpoint.folder) against their checksums")
    }
    // The largest first, so that no core is left with one at the end.
    jobs.sort { $0.range.count > $1.range.count }
    let failure = Mutex<CheckpointError?>(nil)
    let todo = jobs
    DispatchQueue.concurrentPerform(iterations: todo.count) { place in
      guard failure.withLock({ $0 == nil }), let error = todo[place].failure() else { return }
      failure.withLock { $0 = $0 ?? error }
    }
    if let error = failure.withLock({ $0 }) { throw error }
    if memory == nil { memory = Memory() }
    memory?.add(stamps)
  }

  /// A stretch of a file and what it must come to.
  private struct Job: Sendable {
    enum Expected: Sendable {
      case crc(UInt32, entry: String)
      case sha256(String)
    }

    let file: MappedFile
    let range: Range<Int>
    let expected: Expected

    func failure() -> CheckpointError? {
      file.withBytes { bytes in
        let part = UnsafeRawBufferPointer(rebasing: bytes[range])
        switch expected {
        case .crc(let wanted, let entry):
          let found = crc(part)
          guard found != wanted else { return nil }
          return CheckpointError(
            """
            \(file.path): \(tensor(entry)) is damaged: its CRC-32 is \(hexadecimal(found)), the \
            archive says \(hexadecimal(wanted)); copy or download the file again
            """)
        case .sha256(let wanted):
          let found = SHA256.of(part)
          guard found != wanted else { return nil }
          return CheckpointError(
            """
            \(file.path): is damaged: its SHA-256 is \(found), and the cache names it \(wanted); \
            download it again
            """)
        }
      }
    }

    /// The first tensor whose values lie in the entry.
    private func tensor(_ entry: String) -> String {
      let tensors = (try? TorchFile(file).tensors) ?? []
      let name = tensors.first { $0.range.overlaps(range) }?.name
      return name.map { "tensor \($0) (entry \(entry))" } ?? "entry \(entry)"
    }
  }

  private static func jobs(_ path: String) throws(CheckpointError) -> [Job] {
    let file = try map(path)
    if let wanted = HubCache.digest(of: path) {
      return [Job(file: file, range: 0..<file.count, expected: .sha256(wanted))]
    }
    guard TorchFile.isZip(file) else { return [] }
    // PyTorch can be told to write no checksums; they are 0 then.
    return try ZipDirectory(file).entries.filter { !$0.value.range.isEmpty && $0.value.crc != 0 }
      .map { Job(file: file, range: $0.value.range, expected: .crc($0.value.crc, entry: $0.key)) }
  }

  private static func crc(_ bytes: UnsafeRawBufferPointer) -> UInt32 {
    UInt32(
      truncatingIfNeeded: crc32_z(
        0, bytes.assumingMemoryBound(to: UInt8.self).baseAddress, bytes.count))
  }

  private static func hexadecimal(_ value: UInt32) -> String {
    let digits = String(value, radix: 16)
    return String(repeating: "0", count: 8 - digits.count) + digits
  }

  /// Files that were found whole, in `roc/checked` of the user's cache.
  private struct Memory {
    private static let most = 1000
    private let path: String
    private var stamps: [String]

    /// Nil where the user has no cache.
    init?() {
      func variable(_ name: String) -> String? {
        getenv(name).map { String(cString: $0) }.flatMap { $0.isEmpty ? nil : $0 }
      }
      guard
        let folder = variable("XDG_CACHE_HOME") ?? variable("HOME").map({ "\($0)/.cache" })
      else { return nil }
      path = "\(folder)/roc/checked"
      stamps =
        (try? OpenFile.bytes(of: path)).map {
          String(decoding: $0, as: UTF8.self).split(separator: "\n").map(String.init)
        } ?? []
    }

    func knows(_ stamp: String) -> Bool { stamps.contains(stamp) }

    /// A cache that cannot be written costs only time.
    mutating func add(_ new: [String]) {
      guard !new.isEmpty else { return }
      stamps = (stamps.filter { !new.contains($0) } + new).suffix(Self.most)
      let text = stamps.map { "\($0)\n" }.joined()
      _ = try? makeFolders(String(path.dropLast("/checked".count)))
      try? NewFile.write(Array(text.utf8), to: path)
    }
  }
}
