import Dispatch
import RocData
import RocStore
import Synchronization

/// What parts of datasets share, and which pictures look alike: found in the background, since a
/// quarter of a million pictures take a minute.
final class Audits: Sendable {
  /// What was found.
  struct Found: Sendable {
    let leaks: LeakAudit
    let lookAlikes: LookAlikes
  }

  private struct Entry {
    let version: Int
    let found: Found
  }

  private struct State {
    var entries: [Int64: Entry] = [:]
    var running: Set<Int64> = []
    var failures: [Int64: String] = [:]
  }

  private let state = Mutex(State())
  private let queue = DispatchQueue(label: "roc.audit")

  /// What is known of a dataset as it is now.
  ///
  /// - Parameters:
  ///   - dataset: Which one.
  ///   - version: Changes with it.
  /// - Returns: Nil where nobody has looked.
  func known(_ dataset: DatasetRecord, version: Int) -> Found? {
    state.withLock { state in
      let entry = state.entries[dataset.id ?? 0]
      return entry?.version == version ? entry?.found : nil
    }
  }

  /// What is known, or nil while it is being looked for.
  ///
  /// - Throws: `NoSuchPage` when it could not be found.
  func find(_ dataset: DatasetRecord, version: Int, in store: Store) throws -> Found? {
    if let found = known(dataset, version: version) { return found }
    let id = dataset.id ?? 0
    let (isNew, failure) = state.withLock { state in
      (state.running.insert(id).inserted, state.failures.removeValue(forKey: id))
    }
    if let failure {
      state.withLock { _ = $0.running.remove(id) }
      throw NoSuchPage(failure)
    }
    guard isNew else { return nil }
    queue.async {
      let result = Result {
        Found(
          leaks: try LeakAudit(store, dataset), lookAlikes: try LookAlikes(store, dataset))
      }
      self.state.withLock { state in
        state.running.remove(id)
        switch result {
        case .success(let found): state.entries[id] = Entry(version: version, found: found)
        case .failure(let error): state.failures[id] = "\(error)"
        }
      }
    }
    return nil
  }
}
