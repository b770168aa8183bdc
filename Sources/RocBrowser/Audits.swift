import RocData
import RocStore

/// A dataset as it was at some time.
struct AuditKey: Hashable {
  let dataset: Int64
  /// Changes with its pictures, parts and what is known of files.
  let version: Int
}

/// What parts of a dataset share, and which pictures look alike: a quarter of a million pictures
/// take a minute.
struct Audits: Sendable {
  let leaks: LeakAudit
  let lookAlikes: LookAlikes
}

extension Browser {
  /// What is known of a dataset as it is now; nil where nobody has looked.
  func knownAudits(_ index: DatasetIndex) -> Audits? {
    audits.known(AuditKey(index))
  }

  /// What a dataset's parts share and which pictures look alike.
  ///
  /// - Returns: Nil while it is being looked for.
  /// - Throws: The database's errors.
  func audits(of index: DatasetIndex) throws -> Audits? {
    let store = store
    return try audits.value(AuditKey(index), waiting: Self.patience) {
      Audits(
        leaks: try LeakAudit(store, index.dataset), lookAlikes: try LookAlikes(store, index.dataset)
      )
    }
  }
}

extension AuditKey {
  init(_ index: DatasetIndex) {
    self.init(dataset: index.dataset.id ?? 0, version: index.version)
  }
}
