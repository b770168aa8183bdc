import GRDB
package import RocNames

/// Which datasets there are, one snapshot per call.
extension Store {
  /// All datasets with the sizes of their splits and how many pictures they hold.
  package func datasets() throws -> [(
    record: DatasetRecord, images: Int, splits: [(name: SplitName, count: Int)]
  )] {
    try read { db in
      try DatasetRecord.all(db).map { record in
        (record, try record.imageCount(db), try SplitName.counts(record, db))
      }
    }
  }

  /// All datasets, without counting anything.
  package func datasetRecords() throws -> [DatasetRecord] { try read { try DatasetRecord.all($0) } }

  /// The dataset of that name, or the only one when `name` is nil.
  ///
  /// - Throws: `StoreError` that lists the datasets there are.
  package func dataset(_ name: String?) throws -> DatasetRecord {
    let all = try read { try DatasetRecord.all($0) }
    let list = all.map(\.name).joined(separator: ", ")
    if let name {
      guard let found = all.first(where: { $0.name.isExactly(name) }) else {
        throw StoreError(
          "\(path): no dataset \(name); it holds \(list.isEmpty ? "none" : list)",
          isMissing: true)
      }
      return found
    }
    guard let only = all.first else {
      throw StoreError("\(path): holds no dataset; import one first", isMissing: true)
    }
    guard all.count == 1 else {
      throw StoreError("\(path): holds several datasets (\(list)); choose one with --dataset")
    }
    return only
  }
}
