import RocTensor

/// Keys and values of all rows that a language model has seen, layer by layer.
///
/// Not thread-safe: one sequence, one caller.
package final class KeyValueCache: @unchecked Sendable {
  /// One layer's rows, [capacity, width] of which the first `count` are in use.
  struct Layer: ~Copyable {
    var keys: Matrix
    var values: Matrix

    mutating func grow(to capacity: Int, keeping count: Int) {
      let keys = Matrix(uninitialized: capacity, keys.columns)
      let values = Matrix(uninitialized: capacity, values.columns)
      keys.values.update(from: self.keys.values, count: count * keys.columns)
      values.values.update(from: self.values.values, count: count * values.columns)
      self.keys = keys
      self.values = values
    }
  }

  /// A layer behind a reference, since arrays hold only copyable elements.
  final class Slot {
    var layer: Layer

    init(width: Int, rows: Int) {
      layer = Layer(
        keys: Matrix(uninitialized: rows, width), values: Matrix(uninitialized: rows, width))
    }
  }

  let slots: [Slot]
  private let width: Int
  private var capacity: Int
  /// One mark a row, not 0 where no row sees this one; empty when none is hidden.
  ///
  /// Training hides `<unk>`, as the official trainer's attention mask does; scoring hides nothing.
  package var hidden: [UInt8] = []
  /// Rows seen so far.
  package private(set) var count = 0

  init(layers: Int, width: Int, rows: Int) {
    self.width = width
    capacity = rows
    slots = (0..<layers).map { _ in Slot(width: width, rows: rows) }
  }

  /// Makes room for `more` rows after the present ones.
  func reserve(_ more: Int) {
    guard count + more > capacity else { return }
    // Room for more of a long answer, so that decoding seldom copies.
    capacity = max(count + more + 64, capacity * 3 / 2)
    for slot in slots { slot.layer.grow(to: capacity, keeping: count) }
  }

  /// Counts rows that every layer has stored.
  func advance(_ rows: Int) { count += rows }

  /// Forgets all rows but the first `rows`.
  func truncate(to rows: Int) {
    precondition(rows <= count, "\(rows) of \(count) rows")
    count = rows
  }

  /// Takes over the rows of `other`; nothing was seen before.
  func start(with other: KeyValueCache) {
    precondition(count == 0, "a cache of \(count) rows cannot start again")
    reserve(other.count)
    for (mine, theirs) in zip(slots, other.slots) {
      mine.layer.keys.values.update(from: theirs.layer.keys.values, count: other.count * width)
      mine.layer.values.values.update(
        from: theirs.layer.values.values, count: other.count * width)
    }
    count = other.count
  }
}
