import Dispatch
import RocFiles
import RocImage
import RocNames
package import RocStore

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
  let runs = UntilWritten<Int64, RunParts>("roc.runs")
  let views = RunViews()
  let audits = InBackground<Int64, Audits>("roc.audits", room: 8)
  let histograms = InBackground<Int64, String>("roc.histograms", room: 64)
  private let thumbnails = Thumbnails()
  private let indexes = UntilWritten<DatasetRecord, DatasetIndex>("roc.indexes")
  /// A page does not wait longer than this for what takes long to find.
  static let patience = 0.05

  /// - Parameters:
  ///   - store: Open for reading.
  ///   - hasModel: Whether pictures can be scored, too.
  package init(_ store: Store, hasModel: Bool) {
    self.store = store
    places = [.datasets, .runs] + (hasModel ? [.tryIt] : [])
  }

  /// Makes all indexes and the metrics of all runs, the latest first, so that visitors need not
  /// wait.
  package func warmUp() {
    DispatchQueue(label: "roc.warm-up", qos: .utility).async {
      for dataset in (try? self.store.datasetRecords()) ?? [] { _ = try? self.index(of: dataset) }
      for run in ((try? self.store.runRecords()) ?? []).suffix(RunViews.mostWarm).reversed() {
        if let parts = try? self.runParts(run.id ?? 0) {
          _ = try? self.summary(parts, waiting: nil)
        }
      }
    }
  }

  /// A dataset by name.
  ///
  /// - Throws: `NoSuchPage`.
  func dataset(_ name: String) throws -> DatasetRecord {
    guard let found = try store.datasetRecords().first(where: { $0.name.isExactly(name) }) else {
      throw NoSuchPage("There is no dataset \(name).")
    }
    return found
  }

  /// The index of a dataset.
  package func index(of dataset: DatasetRecord) throws -> DatasetIndex {
    let store = store
    return try indexes.value(dataset, version) { try DatasetIndex(store, dataset) }
  }

  /// Changes whenever something is written.
  var version: String {
    ["", "-wal"].map { ending in
      FileFacts(store.path + ending)?.stamp ?? "none"
    }.joined(separator: ", ")
  }

  /// A small copy of a picture.
  ///
  /// - Returns: A JPEG; nil for a picture that cannot be read.
  package func thumbnail(sample: Int64) throws -> [UInt8]? {
    guard let path = try store.picturePath(sample: sample), let facts = FileFacts(path) else {
      return nil
    }
    return thumbnails.thumbnail(path, stamp: facts.stamp)
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
      let bytes = try? OpenFile.bytes(of: path)
    else { throw NoSuchPage("There is no file of picture \(sample).") }
    guard let format = bytes.withUnsafeBytes({ PictureFormat($0) }) else {
      throw NoSuchPage("The file of picture \(sample) is no picture.")
    }
    return PictureBytes(bytes: bytes, type: "image/\(format.rawValue)")
  }
}
