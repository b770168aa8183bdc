import CArchive

/// Why an archive cannot be read.
package struct ArchiveError: Error, CustomStringConvertible, Sendable {
  package let message: String
  package let isMissing: Bool

  package init(_ message: String, isMissing: Bool = false) {
    self.message = message
    self.isMissing = isMissing
  }

  package var description: String { message }
}

/// One thing in an archive.
package struct ArchiveEntry: Sendable {
  package enum Kind: Sendable {
    case file
    case folder
    /// A symbolic or hard link.
    case link
    /// A device, a pipe or a socket.
    case other
  }

  /// As the archive has it: nothing about it can be trusted.
  package let path: String
  package let kind: Kind
  /// In bytes, where the archive states it.
  package let declaredSize: Int?
  package let isEncrypted: Bool
}

/// The entries of a zip, tar (plain, gz, bz2, xz, zst) or 7z file, or of its volumes, one after
/// another.
package final class ArchiveReader {
  package let path: String
  private let archive: OpaquePointer
  private var current: OpaquePointer?

  /// - Parameter volumes: The file, or its pieces in order.
  /// - Throws: `ArchiveError` when they are not an archive.
  package init(_ volumes: [String]) throws(ArchiveError) {
    path = volumes.first ?? ""
    guard let archive = archive_read_new() else { throw ArchiveError("out of memory") }
    self.archive = archive
    archive_read_support_filter_all(archive)
    archive_read_support_format_zip(archive)
    archive_read_support_format_tar(archive)
    archive_read_support_format_7zip(archive)
    var names = volumes.map { UnsafePointer<CChar>(strdup($0)) }
    defer { for name in names { free(UnsafeMutablePointer(mutating: name)) } }
    names.append(nil)
    let code = archive_read_open_filenames(archive, &names, 1 << 18)
    guard code == ARCHIVE_OK else { throw error("is no zip, tar or 7z file") }
  }

  deinit { archive_read_free(archive) }

  /// Names are converted according to the thread's locale, and the plain C locale has no UTF-8.
  private nonisolated(unsafe) static let locale = newlocale(1 << LC_CTYPE, "C.UTF-8", nil)

  /// The next entry, or nil at the end.
  ///
  /// - Throws: `ArchiveError` when the archive is damaged or cut off.
  package func next() throws(ArchiveError) -> ArchiveEntry? {
    let previous = uselocale(Self.locale)
    defer { _ = uselocale(previous) }
    var entry: OpaquePointer?
    let code = archive_read_next_header(archive, &entry)
    if code == ARCHIVE_EOF { return nil }
    guard code == ARCHIVE_OK || code == ARCHIVE_WARN, let entry else {
      throw error("is damaged or cut off")
    }
    current = entry
    let name = archive_entry_pathname_utf8(entry) ?? archive_entry_pathname(entry)
    let kind: ArchiveEntry.Kind =
      if archive_entry_hardlink(entry) != nil || archive_entry_symlink(entry) != nil {
        .link
      } else {
        switch archive_entry_filetype(entry) {
        case 0o100000: .file
        case 0o040000: .folder
        case 0o120000: .link
        default: .other
        }
      }
    return ArchiveEntry(
      path: name.map { String(cString: $0) } ?? "", kind: kind,
      declaredSize: archive_entry_size_is_set(entry) != 0 ? Int(archive_entry_size(entry)) : nil,
      isEncrypted: archive_entry_is_data_encrypted(entry) != 0)
  }

  /// The data of the entry that `next` gave.
  ///
  /// Memory grows with what is read, never with what a header promises.
  ///
  /// - Parameter limit: The most bytes to read.
  /// - Returns: Nil when the entry is larger.
  /// - Throws: `ArchiveError` when it cannot be unpacked.
  package func read(limit: Int) throws(ArchiveError) -> [UInt8]? {
    var bytes: [UInt8] = []
    while true {
      var block: UnsafeRawPointer?
      var count = 0
      var offset: Int64 = 0
      let code = archive_read_data_block(archive, &block, &count, &offset)
      if code == ARCHIVE_EOF { return bytes }
      guard code == ARCHIVE_OK || code == ARCHIVE_WARN else { throw error("cannot be unpacked") }
      guard offset >= 0, offset <= limit, count <= limit - Int(offset) else { return nil }
      // Sparse entries leave gaps, which are zeros.
      while bytes.count < Int(offset) { bytes.append(0) }
      if let block { bytes.append(contentsOf: UnsafeRawBufferPointer(start: block, count: count)) }
    }
  }

  /// Compressed bytes read so far.
  package var compressedBytes: Int { Int(archive_filter_bytes(archive, -1)) }

  private func error(_ what: String) -> ArchiveError {
    let detail = archive_error_string(archive).map { ": " + String(cString: $0) } ?? ""
    let isMissing = archive_errno(archive) == ENOENT
    return ArchiveError(
      "\(path): \(isMissing ? "cannot be opened" : what)\(detail)", isMissing: isMissing)
  }
}

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif
