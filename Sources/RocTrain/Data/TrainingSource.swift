import RocCheckpoint
import RocData
import RocFiles
package import RocNames
package import RocScore
package import RocStore
package import RocTables
import RocTensor

/// Where the records of a training run come from.
package struct TrainingSource: Sendable {
  /// Conversation records, JSON.
  package let bytes: [UInt8]
  /// Where the picture with a given name lies.
  package let path: @Sendable (ImageKey) -> String?
  /// Its name in messages.
  package let name: String

  /// A conversation file and the folder of its pictures.
  ///
  /// - Throws: `DataError` when one of them is not there.
  package init(file: String, imageFolder: String) throws(DataError) {
    do throws(FileError) {
      bytes = try MappedFile(path: file).withBytes { Array($0) }
    } catch {
      throw DataError(error.description, isMissing: error.isMissing)
    }
    let folder = try ImageFolder(imageFolder)
    path = { folder.path(of: $0) }
    name = file
  }

  /// A split of a dataset in the database, on the model's scale and with its bins.
  ///
  /// - Parameters:
  ///   - dataset: Its name.
  ///   - split: One of its splits.
  ///   - store: The database.
  ///   - range: The model's scale; gt_score is mapped to it linearly.
  ///   - tokens: The model's score tokens; votes are put into as many bins.
  /// - Throws: `StoreError` or `DataError` when there are no such samples.
  package init(
    dataset: String, split: String, store: Store, range: ScoreRange, tokens: Int
  ) throws {
    let record = try store.dataset(dataset)
    let (found, samples) = try store.samples(record, split: split)
    guard !samples.isEmpty else {
      throw DataError("\(dataset) \(split): the split has no samples", isMissing: true)
    }
    let paths = Dictionary(
      samples.map { ($0.key, $0.path) }, uniquingKeysWith: { first, _ in first })
    // Imported targets stay as they are; votes fit any number of bins.
    bytes = ConversationExport(
      dataset: record, lists: try store.scoreLists(of: record),
      scale: record.range == range ? nil : range, tokens: record.bins == nil ? nil : tokens
    ).array(samples)
    path = { paths[$0] ?? nil }
    name = "\(dataset) \(found?.description ?? split)"
    scale = record.range == range ? nil : (record.range, range)
  }

  /// The linear map that the scores went through; nil for none.
  package private(set) var scale: (from: ScoreRange, to: ScoreRange)?
}

extension Store {
  /// Records what a new checkpoint was trained on, so that no table is made from pictures that it
  /// has seen.
  package func remember(training folder: String, on dataset: String, split: String) throws {
    let record = try self.dataset(dataset)
    guard let name = try samples(record, split: split).split else { return }
    try addTrainingPart(of: try Checkpoint(folder: folder).sha256(), dataset: dataset, split: name)
  }
}
