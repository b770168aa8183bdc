import RocData
import RocMetrics
import RocNames
package import RocReport
package import RocStore

/// A table with rows of stored runs: one of the paper's, or one that a file describes.
package struct TableJob {
  private let store: () throws -> Store
  private let split: String
  private let force: Bool

  /// - Parameters:
  ///   - store: Opens the database of the runs, which a table without runs does not need.
  ///   - split: The split of the runs.
  ///   - force: Shows numbers of other protocols, with a footnote.
  package init(_ store: @escaping () throws -> Store, split: String, force: Bool) {
    self.store = store
    self.split = split
    self.force = force
  }

  /// How the user's rows stand in one of the paper's tables.
  package struct Layout: Sendable {
    /// The base model whose block of table 5 they stand in; that of each run when nil.
    package var block: String?
    /// Whether they take the place of the paper's own.
    package var replacesOurs: Bool

    package init(block: String?, replacesOurs: Bool) {
      self.block = block
      self.replacesOurs = replacesOurs
    }
  }

  /// One of the paper's tables.
  ///
  /// - Parameters:
  ///   - number: 1 to 6.
  ///   - runs: `RUN` or `RUN=NAME` each.
  ///   - layout: Where the user's rows stand.
  /// - Returns: The table with its footnotes.
  /// - Throws: `JobError` for a run that may not stand beside the published numbers, `StoreError`
  ///   for one that is not there.
  package func paper(_ number: Int, runs: [String], _ layout: Layout) throws -> PaperTable {
    var rows = OwnRows(force: force, splitsTasks: number == 5, base: layout.block)
    let keys = PaperLayout.keys(number)
    for text in runs {
      let (stored, comments, name) = try storedRun(text, keys)
      try rows.add(stored, comments, name: name, keys: keys)
    }
    var made = PaperLayout(
      own: rows.rows, replacesOurs: layout.replacesOurs
    ).table(number)
    made.footnotes = rows.footnotes
    return made
  }

  /// The table that a YAML file describes.
  package func custom(_ path: String) throws -> PaperTable {
    let custom = try CustomTable(path: path)
    var rows = OwnRows(force: force)
    for (number, name) in custom.runs {
      let (stored, comments, _) = try storedRun(String(number), custom.keys)
      try rows.add(stored, comments, name: name, keys: custom.keys)
    }
    var made = try custom.table(own: rows.rows)
    made.footnotes = rows.footnotes
    return made
  }

  private func storedRun(
    _ text: String, _ keys: [OwnRow.Key]
  ) throws -> (StoredRun, CommentMetrics?, name: String?) {
    let parts = text.split(separator: "=", maxSplits: 1).map(String.init)
    guard let number = parts.first.flatMap({ Int64($0) }) else {
      throw JobError(.usage, "--run \(text): expected RUN or RUN=NAME")
    }
    let store = try store()
    let (record, dataset) = try store.run(number)
    let stored = try StoredRun(store, record, dataset, split: split)
    let isCommented = keys.contains { $0.metric == "CIDEr" }
    return (
      stored, isCommented ? try CommentMetrics.of(stored, in: store) : nil,
      name: parts.count > 1 ? parts[1] : nil
    )
  }
}
