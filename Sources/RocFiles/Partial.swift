import RocNames

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// Names of files and folders that are being written: `.NAME.partial-` and 16 digits, most of them
/// random, so that nobody can put a link where one will be.
///
/// Whoever writes one holds a lock on it, which the system gives up when the process ends, however
/// it ends. What carries such a name and no lock was left behind. Some cluster file systems keep
/// locks to one machine, so the first four digits stand for the machine: what another one writes is
/// left alone for a day.
package enum Partial {
  private static let mark = ".partial-"
  private static let digits = 16
  /// The most bytes of a file's name on Linux's file systems.
  private static let longest = 255

  /// A name that nobody can guess, in the folder of `path`.
  static func path(for path: String) -> String {
    let folder = PathName.folder(path)
    let random = hexadecimal(UInt64.random(in: 0..<1 << 48), digits: digits - ownMachine.count)
    let end = mark + ownMachine + random
    let entry = ".\(shortened(PathName.base(path)))\(end)"
    let isAtRoot = folder.isEmpty && path.utf8.first == UInt8(ascii: "/")
    return folder.isEmpty ? (isAtRoot ? "/" : "") + entry : "\(folder)/\(entry)"
  }

  /// Four digits for this machine, by its name.
  package static let ownMachine: String = {
    var name = [CChar](repeating: 0, count: 256)
    let code = gethostname(&name, name.count - 1)
    let text = code == 0 ? name.prefix { $0 != 0 } : []
    // FNV-1a.
    let hash = text.reduce(0xCBF2_9CE4_8422_2325 as UInt64) {
      ($0 ^ UInt64(UInt8(bitPattern: $1))) &* 0x100_0000_01B3
    }
    return hexadecimal(hash & 0xFFFF, digits: 4)
  }()

  private static func hexadecimal(_ value: UInt64, digits: Int) -> String {
    let text = String(value, radix: 16)
    return String(repeating: "0", count: digits - text.count) + text
  }

  /// Whether an entry is this machine's, or too old to be still in the hands of another.
  private static func isOver(_ entry: String, _ facts: FileFacts) -> Bool {
    entry.utf8.suffix(digits).starts(with: ownMachine.utf8)
      || Double(time(nil)) - facts.modified > 86_400
  }

  /// A name that leaves room for the mark and the digits.
  private static func shortened(_ name: String) -> String {
    var name = Substring(name)
    while name.utf8.count + mark.utf8.count + digits + 1 > longest { name.removeLast() }
    return String(name)
  }

  /// What an entry of a folder was to become, shortened where its name is long; nil for an entry
  /// that has no such name.
  package static func target(of entry: String) -> String? {
    let bytes = Array(entry.utf8)
    let end = Array(mark.utf8)
    let cut = bytes.count - digits - end.count
    guard cut >= 1, bytes[0] == UInt8(ascii: "."), bytes[cut...].starts(with: end),
      bytes[(cut + end.count)...].allSatisfy({
        (0x30...0x39).contains($0) || (0x61...0x66).contains($0)
      })
    else { return nil }
    return String(decoding: bytes[1..<cut], as: UTF8.self)
  }

  /// Something that a dead process left behind.
  package struct Leftover: Sendable {
    package let path: String
    /// The size of all its files together.
    package let bytes: Int
  }

  /// What dead processes of this user left in a folder.
  ///
  /// - Parameters:
  ///   - folder: Only what is directly in it.
  ///   - target: Only what was to become the file or folder of that name; anything when nil.
  /// - Returns: What there is, in the order of the names.
  package static func leftovers(in folder: String, of target: String? = nil) -> [Leftover] {
    abandoned(in: folder, of: target).map { Leftover(path: $0.path, bytes: size($0.path)) }
  }

  /// Removes what dead processes of this user left.
  ///
  /// - Parameters:
  ///   - folder: Only what is directly in it.
  ///   - target: Only what was to become the file or folder of that name; anything when nil.
  /// - Returns: What was removed.
  @discardableResult
  package static func clear(_ folder: String, of target: String? = nil) -> [Leftover] {
    // Each stays locked until it is gone, so that two processes never remove the same.
    abandoned(in: folder, of: target).compactMap { file in
      let left = Leftover(path: file.path, bytes: size(file.path))
      guard file.isStillThere else { return nil }
      removeTree(file.path)
      return left
    }
  }

  /// Removes what dead processes left of the file or folder at a path.
  @discardableResult
  package static func clear(besides path: String) -> [Leftover] {
    let folder = PathName.folder(path)
    let isRoot = path.utf8.first == UInt8(ascii: "/") && folder.isEmpty
    return clear(isRoot ? "/" : folder.isEmpty ? "." : folder, of: PathName.base(path))
  }

  private static func abandoned(in folder: String, of target: String?) -> [OpenFile] {
    let target = target.map(shortened)
    return folderEntries(folder).compactMap { name in
      guard let own = Self.target(of: name), target.map({ own.isExactly($0) }) ?? true,
        let file = OpenFile(found: "\(folder)/\(name)"), let facts = file.facts, facts.isOwn,
        facts.kind == .file || facts.kind == .folder, isOver(name, facts), file.lock() == .own
      else { return nil }
      return file
    }
  }

  private static func size(_ path: String) -> Int {
    guard let facts = FileFacts(path, follows: false) else { return 0 }
    guard facts.kind == .folder else { return facts.bytes }
    return folderEntries(path).reduce(0) { $0 + size("\(path)/\($1)") }
  }
}

/// Removes a file, or a folder with all that is in it; links are removed, never followed.
package func removeTree(_ path: String) {
  if FileFacts(path, follows: false)?.kind == .folder {
    for name in folderEntries(path) { removeTree("\(path)/\(name)") }
    rmdir(path)
  } else {
    unlink(path)
  }
}
