import RocTensor

/// Keys and values of all rows that a language model has seen, layer by layer.
///
/// Not thread-safe: one sequence, one caller.
package final class KeyValueCache: @unchecked Sendable {
  /// One layer's rows, [capacity, width] of which the first `count` are in use.
  final class LayerRows {
    private(set) var keys: Matrix
    private(set) var values: Matrix

    fileprivate init(width: Int, rows: Int, _ compute: Compute) {
      keys = compute.matrix(rows, width)
      values = compute.matrix(rows, width)
    }

    fileprivate func grow(to capacity: Int, keeping count: Int, _ compute: Compute) {
      let keys = compute.matrix(capacity, self.keys.columns)
      let values = compute.matrix(capacity, self.values.columns)
      compute.copy(self.keys, rows: 0..<count, into: keys)
      compute.copy(self.values, rows: 0..<count, into: values)
      self.keys = keys
      self.values = values
    }
  }

  let layers: [LayerRows]
  private let compute: Compute
  private var capacity: Int
  /// One mark per row, nonzero where no row sees it; empty when none is masked.
  ///
  /// Training hides `<unk>`, as the official trainer's attention mask does; scoring hides nothing.
  package var masked: [UInt8] = []
  /// Rows seen so far.
  package private(set) var count = 0
  /// After how many rows positions fell behind the rows' numbers, or ran ahead of them, and by how
  /// much in all: pictures take fewer positions than rows where they lie in grids.
  private var shifts: [(rows: Int, shift: Int)] = []

  /// The position of the next row.
  package var nextPosition: Int { count + (shifts.last?.shift ?? 0) }

  init(layers: Int, width: Int, rows: Int, _ compute: Compute) {
    self.compute = compute
    capacity = rows
    self.layers = (0..<layers).map { _ in LayerRows(width: width, rows: rows, compute) }
  }

  /// Makes room for `more` rows after the present ones.
  func reserve(_ more: Int) {
    guard count + more > capacity else { return }
    // Room for more of a long answer, so that decoding seldom copies.
    capacity = max(count + more + 64, capacity * 3 / 2)
    for layer in layers { layer.grow(to: capacity, keeping: count, compute) }
  }

  /// Counts rows that every layer has stored, and the positions that they took.
  func advance(_ rows: Int, positions: Int) {
    let shift = nextPosition - count + positions - rows
    count += rows
    if positions != rows { shifts.append((count, shift)) }
  }

  /// Forgets all rows but the first `rows`.
  package func truncate(to rows: Int) {
    precondition(rows <= count, "\(rows) of \(count) rows")
    count = rows
    shifts.removeAll { $0.rows > rows }
  }

  /// Takes over the rows of `other`; nothing was seen before.
  package func start(with other: KeyValueCache) {
    precondition(count == 0, "a cache of \(count) rows cannot start again")
    reserve(other.count)
    for (mine, theirs) in zip(layers, other.layers) {
      compute.copy(theirs.keys, rows: 0..<other.count, into: mine.keys)
      compute.copy(theirs.values, rows: 0..<other.count, into: mine.values)
    }
    count = other.count
    shifts = other.shifts
  }
}
