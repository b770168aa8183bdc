import RocData
import RocStore

/// What parts of a dataset share, and which pictures look alike: a quarter of a million pictures
/// take a minute.
struct Audits: Sendable {
  let leaks: LeakAudit
  let lookAlikes: LookAlikes
}

extension Browser {
  /// What is known of a dataset as it is now; nil where nobody has looked.
  func knownAudits(_ index: DatasetIndex) -> Audits? {
    audits.known(index.dataset.id ?? 0, version: index.version)
  }

  /// What a dataset's parts share and which pictures look alike.
  ///
  /// - Returns: Nil while it is being looked for.
  /// - Throws: The database's errors.
  func audits(of index: DatasetIndex) throws -> Audits? {
    let store = store
    return try audits.value(
      index.dataset.id ?? 0, version: index.version, waiting: Self.patience
    ) {
      Audits(
        leaks: try LeakAudit(store, index.dataset), lookAlikes: try LookAlikes(store, index.dataset)
      )
    }
  }
}
