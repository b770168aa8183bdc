import RocNames

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// A file that takes its name when it is whole: a kill, a full disk or an error leaves what was
/// there before.
///
/// The one way in which files are written. It takes the mode, and where that is allowed the owner,
/// of the file that it replaces; a link stays, and what it leads to is replaced.
package final class NewFile {
  /// Where the file will be.
  package let path: String
  private let file: OpenFile
  private var isDone = false

  /// - Parameter path: What is there is replaced by `commit`.
  /// - Throws: `FileError` when nothing can be made in its folder.
  package init(_ path: String) throws(FileError) {
    let old = FileFacts(path)
    self.path = old == nil ? path : absolutePath(path)
    if let old, old.kind != .file {
      throw FileError(
        path: path,
        reason: old.kind == .folder ? "is a folder, expected a file" : "is no regular file")
    }
    file = try Self.make(for: self.path, isPrivate: old != nil)
    if let old { file.take(old) }
  }

  /// A locked file with a fresh name.
  private static func make(for path: String, isPrivate: Bool) throws(FileError) -> OpenFile {
    while true {
      let file: OpenFile
      do throws(FileError) {
        file = try OpenFile(making: Partial.path(for: path), isPrivate: isPrivate)
      } catch {
        throw FileError(
          path: path, reason: error.reason, isMissing: error.isMissing,
          isOfMachine: error.isOfMachine)
      }
      if hold(file) { return file }
      unlink(file.path)
    }
  }

  deinit { if !isDone { unlink(file.path) } }

  package func write(_ bytes: UnsafeRawBufferPointer) throws(FileError) {
    do throws(FileError) {
      try file.write(bytes)
    } catch {
      throw renamed(error)
    }
  }

  package func write(_ bytes: [UInt8]) throws(FileError) {
    do throws(FileError) {
      try file.write(bytes)
    } catch {
      throw renamed(error)
    }
  }

  /// Gives the file its name.
  ///
  /// - Parameter isDurable: Whether it waits for the disk; not needed where many files follow and
  ///   the last one says that all are there.
  /// - Throws: `FileError` when the disk is full; nothing of the file stays then.
  package func commit(isDurable: Bool = true) throws(FileError) {
    do throws(FileError) {
      if isDurable { try file.synchronise() }
      try file.flush()
      guard rename(file.path, path) == 0 else { throw FileError(path: path, errno: errno) }
      isDone = true
      if isDurable { try synchroniseFolder(of: path) }
    } catch {
      throw renamed(error)
    }
  }

  /// Errors name the file that was asked for.
  private func renamed(_ error: FileError) -> FileError {
    FileError(
      path: path, reason: error.reason, isMissing: error.isMissing, isOfMachine: error.isOfMachine)
  }

  /// Writes a file of these bytes.
  ///
  /// - Parameters:
  ///   - bytes: The whole contents.
  ///   - path: What is there is replaced.
  ///   - isDurable: As in `commit`.
  /// - Throws: `FileError` when the disk is full; what was there before stays.
  package static func write(
    _ bytes: [UInt8], to path: String, isDurable: Bool = true
  ) throws(FileError) {
    let new = try NewFile(path)
    try new.write(bytes)
    try new.commit(isDurable: isDurable)
  }
}

/// A folder of files that takes its name when it is whole.
package final class NewFolder {
  /// Where the folder will be.
  package let path: String
  /// Where its files are written until then.
  package let place: String
  private let folder: OpenFile
  private var isDone = false

  /// - Parameter path: Must not exist when it is committed.
  /// - Throws: `FileError` when nothing can be made beside it.
  package convenience init(_ path: String) throws(FileError) { try self.init(path, beside: path) }

  /// A folder for files that will move into `folder`, which is there.
  package convenience init(into folder: String) throws(FileError) {
    try self.init(folder, beside: "\(folder)/files")
  }

  private init(_ path: String, beside target: String) throws(FileError) {
    self.path = path
    while true {
      let place = Partial.path(for: target)
      guard mkdir(place, 0o777) == 0 else { throw FileError(path: path, errno: errno) }
      do throws(FileError) {
        let folder = try OpenFile(place, .folder)
        if hold(folder) {
          (self.place, self.folder) = (place, folder)
          return
        }
        rmdir(place)
      } catch {
        rmdir(place)
        // Somebody took it for abandoned before it could be locked.
        if !error.isMissing { throw FileError(path: path, reason: error.reason) }
      }
    }
  }

  deinit { if !isDone { removeTree(place) } }

  /// Gives the folder its name.
  package func commit() throws(FileError) {
    try folder.synchroniseNames()
    guard rename(place, path) == 0 else { throw FileError(path: path, errno: errno) }
    isDone = true
    try synchroniseFolder(of: path)
  }

  /// Moves the files into the folder that is there, each in place of any of the same name.
  ///
  /// - Parameter names: In the order in which they are to appear.
  /// - Throws: `FileError` that names the file that cannot be replaced.
  package func commit(_ names: [String]) throws(FileError) {
    for name in names {
      guard rename("\(place)/\(name)", "\(path)/\(name)") == 0 else {
        throw FileError(path: "\(path)/\(name)", errno: errno)
      }
    }
    removeTree(place)
    isDone = true
    try? OpenFile(path, .folder).synchroniseNames()
  }
}

/// Locks what was just made; false when somebody took it for abandoned before that.
///
/// Where the file system has no locks, nobody does that.
private func hold(_ file: OpenFile) -> Bool { file.lock() != .taken && file.isStillThere }

/// Waits until the disk has a new name; where a folder cannot be opened, there is nothing to do.
private func synchroniseFolder(of path: String) throws(FileError) {
  let folder = PathName.folder(path)
  let isRoot = path.utf8.first == UInt8(ascii: "/") && folder.isEmpty
  guard let open = try? OpenFile(isRoot ? "/" : folder.isEmpty ? "." : folder, .folder) else {
    return
  }
  try open.synchroniseNames()
}
