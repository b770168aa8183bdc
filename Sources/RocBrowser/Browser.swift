import Dispatch
import RocFiles
import RocImage
import RocNames
package import RocStore
import Synchronization

/// Why there is no page at an address.
package struct NoSuchPage: Error {
  package let message: String

  package init(_ message: String) { self.message = message }
}

/// Pages about what a database holds, which is only read.
package final class Browser: Sendable {
  package let store: Store
  /// What the navigation shows.
  package let places: [Layout.Place]
  let views = RunViews()
  let audits = Audits()
  private let thumbnails = Thumbnails()
  private let indexes = Mutex<[Int64: Known]>([:])
  private let queue = DispatchQueue(label: "roc.index")

  /// An index and what the database was like when it was made.
  private struct Known {
    let index: DatasetIndex
    let version: String
    let made: ContinuousClock.Instant
    var isRenewed = false
  }

  /// While somebody writes, indexes are made anew no more often than this.
  private static let leastAge = Duration.seconds(10)

  /// - Parameters:
  ///   - store: Open for reading.
  ///   - hasModel: Whether pictures can be scored, too.
  package init(_ store: Store, hasModel: Bool) {
    self.store = store
    places = [.datasets, .runs] + (hasModel ? [.tryIt] : [])
  }

  /// Makes all indexes, so that the first visitor need not wait.
  package func warmUp() {
    queue.async {
      for dataset in (try? self.store.datasets()) ?? [] { _ = try? self.index(of: dataset.record) }
    }
  }

  /// A dataset by name.
  ///
  /// - Throws: `NoSuchPage`.
  func dataset(_ name: String) throws -> DatasetRecord {
    guard let found = try store.datasets().first(where: { $0.record.name.isExactly(name) }) else {
      throw NoSuchPage("There is no dataset \(name).")
    }
    return found.record
  }

  /// The index of a dataset; a stale one is given out while a new one is made.
  package func index(of dataset: DatasetRecord) throws -> DatasetIndex {
    let id = dataset.id ?? 0
    let version = version
    let known = indexes.withLock { indexes -> Known? in
      guard let known = indexes[id], known.index.dataset == dataset else { return nil }
      let isStale = known.version != version && ContinuousClock.now - known.made > Self.leastAge
      if isStale, !known.isRenewed {
        indexes[id]?.isRenewed = true
        queue.async { _ = try? self.make(dataset) }
      }
      return known
    }
    return try known?.index ?? make(dataset)
  }

  private func make(_ dataset: DatasetRecord) throws -> DatasetIndex {
    let version = version
    let index = try DatasetIndex(store, dataset)
    indexes.withLock {
      $0[dataset.id ?? 0] = Known(index: index, version: version, made: .now)
    }
    return index
  }

  /// Changes whenever something is written.
  private var version: String {
    ["", "-wal"].map { ending in
      FileFacts(store.path + ending).map { "\($0.bytes) \($0.modified)" } ?? "none"
    }.joined(separator: ", ")
  }

  /// A small copy of a picture.
  ///
  /// - Returns: A JPEG; nil for a picture that cannot be read.
  package func thumbnail(sample: Int64) throws -> [UInt8]? {
    guard let path = try store.picturePath(sample: sample), let facts = FileFacts(path) else {
      return nil
    }
    return thumbnails.thumbnail(path, stamp: "\(facts.bytes) \(facts.modified)")
  }
}

extension DatasetRecord {
  /// Its page.
  var address: String { "/datasets/\(Query.encoded(name))" }
}

/// A picture's file as it is.
package struct PictureBytes: Sendable {
  package let bytes: [UInt8]
  /// The media type by its content.
  package let type: String
}

extension Browser {
  /// The file of a picture.
  ///
  /// - Throws: `NoSuchPage` for one that is not there or is no picture.
  package func picture(sample: Int64) throws -> PictureBytes {
    guard let path = try store.picturePath(sample: sample),
      let file = try? MappedFile(path: path)
    else { throw NoSuchPage("There is no file of picture \(sample).") }
    let found = file.withBytes { bytes in
      PictureFormat(bytes).map { PictureBytes(bytes: Array(bytes), type: "image/\($0.rawValue)") }
    }
    guard let found else { throw NoSuchPage("The file of picture \(sample) is no picture.") }
    return found
  }
}
