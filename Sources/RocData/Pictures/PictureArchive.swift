import RocArchive
import RocFiles
import RocImage
import RocJSON
package import RocNames
package import RocStore
package import RocTables

/// Unpacks the pictures of an archive and checks each while it passes.
///
/// Nothing leaves the target folder: absolute paths, `..`, links and devices are refused by name.
/// What an archive claims about sizes is never believed; limits hold for what really comes out.
package struct PictureArchive {
  /// Bounds on what an archive may unpack to.
  package struct Limits: Sendable {
    /// Bytes of one picture.
    package var picture = 1 << 29
    package var pictures = 5_000_000
    /// Unpacked bytes for each packed one, once there are more than `slack`.
    package var ratio = 100
    package var slack = 1 << 28

    package init() {}
  }

  /// What came out.
  package struct Result {
    package var folder: String
    package var pictures = 0
    /// What each picture turned out to be, by its path below the folder.
    package var facts: [ExactText: PictureFacts] = [:]
    /// Entries that were refused.
    package var refused: [SetAsideLine] = []
    /// Entries whose names are not those of pictures, and a few of the names.
    package var others = 0
    package var otherNames: [String] = []
    /// Whether everything was there from an earlier run.
    package var isKnown = false
  }

  private struct Pending: Sendable {
    /// The entry's number in the archive, from 1.
    let number: Int
    let path: String
    let bytes: [UInt8]
  }

  private static let marker = ".roc-archive.json"
  private let archive: String
  private let volumes: [String]
  private let folder: String
  private let limits: Limits

  /// - Parameters:
  ///   - archive: A zip, tar or 7z file, or its first piece.
  ///   - folder: Where the pictures go; made when it is not there.
  ///   - limits: Bounds on what comes out.
  /// - Throws: `DataError` when the archive or a piece of it is missing.
  package init(_ archive: String, folder: String, limits: Limits = Limits()) throws(DataError) {
    self.archive = archive
    self.folder = folder
    self.limits = limits
    do throws(ArchiveError) {
      volumes = try ArchiveVolumes.of(archive)
    } catch {
      throw DataError(error.message, isMissing: error.isMissing)
    }
  }

  /// Sizes and times of the pieces: the same ones need not be unpacked twice.
  private var identity: JSON {
    .array(
      volumes.map { path in
        let facts = FileFacts(path)
        return [
          "name": .string(PathName.base(path)), "bytes": JSON(facts?.bytes),
          "modified": JSON(facts?.modified),
        ]
      })
  }

  /// Unpacks all pictures.
  ///
  /// - Parameters:
  ///   - jobs: Pictures decoded at the same time.
  ///   - progress: Called with the pictures so far; false stops.
  /// - Returns: What came out; pictures that are broken are unpacked all the same.
  /// - Throws: `DataError` when the archive is damaged, encrypted or beyond a limit.
  package func unpack(
    jobs: Int, progress: (Int) -> Bool
  ) throws(DataError) -> Result {
    var result = Result(folder: folder)
    let marker = "\(folder)/\(Self.marker)"
    let identity = identity
    if let text = try? MappedFile(path: marker).text,
      let known = try? JSON.parse(text), known["pieces"]?.line == identity.line
    {
      result.isKnown = true
      result.refused = (known["refused"]?.array ?? []).map {
        SetAsideLine(
          file: archive, line: $0["entry"]?.int ?? 0, reason: $0["reason"]?.string ?? "",
          content: $0["path"]?.string ?? "")
      }
      return result
    }
    do throws(FileError) {
      try makeFolders(folder)
    } catch {
      throw DataError("\(folder): cannot be made: \(error.reason)")
    }
    for folder in Self.folders(below: folder) { Partial.clear(folder) }
    do throws(ArchiveError) {
      try read(&result, jobs: jobs, progress: progress)
    } catch {
      throw DataError(
        """
        \(error.message); \(result.pictures) pictures were unpacked into \(folder) before; get \
        the archive again
        """)
    }
    guard result.pictures > 0 else {
      throw DataError("\(archive): holds no picture (\(result.refused.count) entries refused)")
    }
    do throws(FileError) {
      let refused = result.refused.map {
        JSON.object([
          .init("entry", .int($0.line)), .init("reason", .string($0.reason)),
          .init("path", .string($0.content)),
        ])
      }
      let note: JSON = ["pieces": identity, "refused": .array(refused)]
      // The file that says that all are there waits for the disk.
      synchroniseDisks()
      try NewFile.write(Array(note.line.utf8), to: marker)
    } catch {
      throw DataError("\(marker): cannot be written: \(error.reason)")
    }
    return result
  }

  private func read(
    _ result: inout Result, jobs: Int, progress: (Int) -> Bool
  ) throws(ArchiveError) {
    let reader = try ArchiveReader(volumes)
    var pending: [Pending] = []
    var waiting = 0
    var unpacked = 0
    var number = 0
    let packed = volumes.reduce(0) { $0 + (FileFacts($1)?.bytes ?? 0) }
    while let entry = try reader.next() {
      number += 1
      guard number <= limits.pictures else {
        throw ArchiveError("\(archive): more than \(limits.pictures) entries")
      }
      if entry.kind == .folder { continue }
      func refuse(_ reason: String, _ result: inout Result) {
        result.refused.append(
          SetAsideLine(file: archive, line: number, reason: reason, content: entry.path))
      }
      guard entry.kind == .file else {
        refuse(entry.kind == .link ? "is a link" : "is no regular file", &result)
        continue
      }
      let path: String
      switch SafePath.of(entry.path) {
      case .path(let safe): path = safe
      case .refused(let reason):
        refuse(reason, &result)
        continue
      }
      guard Self.isPicture(path) else {
        if !Self.isHidden(path) {
          result.others += 1
          if result.otherNames.count < 3 { result.otherNames.append(path) }
        }
        continue
      }
      guard !entry.isEncrypted else {
        throw ArchiveError("\(archive): \(path) is encrypted; unpack it with its password first")
      }
      guard let bytes = try reader.read(limit: limits.picture) else {
        refuse("unpacks to more than \(limits.picture >> 20) MB", &result)
        continue
      }
      unpacked += bytes.count
      guard unpacked <= limits.slack || unpacked / limits.ratio <= packed else {
        throw ArchiveError(
          """
          \(archive): \(packed) bytes unpack to more than \(limits.ratio) times as many; this is \
          no archive of pictures
          """)
      }
      pending.append(Pending(number: number, path: path, bytes: bytes))
      waiting += bytes.count
      if waiting > 1 << 25 || pending.count == 256 {
        try write(pending, jobs: jobs, &result)
        pending = []
        waiting = 0
        guard progress(result.pictures) else { throw ArchiveError("\(archive): interrupted") }
      }
    }
    try write(pending, jobs: jobs, &result)
  }

  /// What is unpacked: files whose names are those of pictures, whatever they hold.
  private static func isPicture(_ path: String) -> Bool {
    !isHidden(path) && PathName.pictureEndings.contains(PathName.ending(path))
  }

  /// What macOS puts beside every file.
  private static func isHidden(_ path: String) -> Bool {
    PathName.base(path).utf8.starts(with: "._".utf8) || path.utf8.starts(with: "__MACOSX/".utf8)
  }

  /// A folder and all folders below it; links are not followed.
  private static func folders(below folder: String) -> [String] {
    [folder]
      + folderEntries(folder).map { "\(folder)/\($0)" }
      .filter { FileFacts($0, follows: false)?.kind == .folder }.flatMap(folders(below:))
  }

  private func write(
    _ pending: [Pending], jobs: Int, _ result: inout Result
  ) throws(ArchiveError) {
    let folder = folder
    let facts = Parallel.map(pending, jobs: jobs) { item in
      let found = item.bytes.withUnsafeBytes { bytes in
        Swift.Result { () throws(PictureError) in try PictureFacts.of(bytes, name: item.path) }
      }
      return (found, Self.save(item.bytes, to: item.path, below: folder))
    }
    for (item, (facts, outcome)) in zip(pending, facts) {
      let found: PictureFacts
      do throws(PictureError) {
        found = try facts.get()
      } catch {
        throw ArchiveError("\(archive): \(error)")
      }
      switch outcome {
      case .saved: break
      case .failed(let reason): throw ArchiveError("\(folder)/\(item.path): \(reason)")
      case .refused(let reason):
        result.refused.append(
          SetAsideLine(file: archive, line: item.number, reason: reason, content: item.path))
        continue
      }
      result.facts[item.path] = found
      result.pictures += 1
    }
  }

  private enum Outcome: Sendable {
    case saved
    /// The archive asks for something impossible.
    case refused(String)
    case failed(String)
  }

  /// Writes a file under another name first, so that a kill never leaves half a picture.
  private static func save(_ bytes: [UInt8], to name: String, below folder: String) -> Outcome {
    let path = "\(folder)/\(name)"
    let parent = PathName.folder(path)
    if let reason = obstacle(to: path, below: folder) { return .refused(reason) }
    // An earlier link in the folder could lead elsewhere.
    if FileFacts(parent, follows: false)?.kind == .link { return .failed("its folder is a link") }
    do throws(FileError) {
      try makeFolders(parent)
      try NewFile.write(bytes, to: path, isDurable: false)
      return .saved
    } catch {
      // Another thread may have written the other entry meanwhile.
      if let reason = obstacle(to: path, below: folder) { return .refused(reason) }
      return .failed("cannot be written: \(error.reason)")
    }
  }

  /// Why a path cannot be a file: `a.jpg` and `a.jpg/b.jpg` may be in one archive.
  private static func obstacle(to path: String, below folder: String) -> String? {
    if isFolder(path) { return "another entry needs a folder of this name" }
    var above = PathName.folder(path)
    while above.utf8.count > folder.utf8.count {
      if let facts = FileFacts(above), facts.kind != .folder {
        return "another entry is a file where this one needs a folder"
      }
      above = PathName.folder(above)
    }
    return nil
  }
}
