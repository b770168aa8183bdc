/// A row-major matrix of float32 that owns its memory, 64-byte aligned.
@safe
package struct Matrix: ~Copyable, @unchecked Sendable {
  package let rows: Int
  package let columns: Int
  package let values: UnsafeMutablePointer<Float>

  /// Zeros of shape [rows, columns].
  package init(rows: Int, columns: Int) {
    self.init(uninitialized: rows, columns)
    values.update(repeating: 0, count: count)
  }

  /// A matrix whose every value is about to be written.
  package init(uninitialized rows: Int, _ columns: Int) {
    precondition(rows >= 0 && columns >= 0, "a matrix of \(rows) x \(columns)")
    self.rows = rows
    self.columns = columns
    let raw = Buffers.take(Self.bytes(rows, columns))
    values = raw.bindMemory(to: Float.self, capacity: max(rows * columns, 1))
  }

  /// Copies `array`, which holds rows · columns values.
  package init(rows: Int, columns: Int, _ array: [Float]) {
    precondition(
      array.count == rows * columns, "\(array.count) values for a matrix of \(rows) x \(columns)")
    self.init(uninitialized: rows, columns)
    array.withUnsafeBufferPointer { source in
      if let start = source.baseAddress { values.update(from: start, count: source.count) }
    }
  }

  deinit { Buffers.give(UnsafeMutableRawPointer(values), Self.bytes(rows, columns)) }

  private static func bytes(_ rows: Int, _ columns: Int) -> Int {
    max(rows * columns, 1) * MemoryLayout<Float>.stride
  }

  package var count: Int { rows * columns }

  /// The first value of a row.
  package func row(_ index: Int) -> UnsafeMutablePointer<Float> {
    precondition(index >= 0 && index < rows, "row \(index) of \(rows)")
    return values + index * columns
  }

  package func copy() -> Matrix {
    let other = Matrix(uninitialized: rows, columns)
    other.values.update(from: values, count: count)
    return other
  }

  /// Copies of some rows.
  package func copy(rows range: Range<Int>) -> Matrix {
    precondition(range.lowerBound >= 0 && range.upperBound <= rows, "rows \(range) of \(rows)")
    let other = Matrix(uninitialized: range.count, columns)
    other.values.update(from: values + range.lowerBound * columns, count: other.count)
    return other
  }

  /// All values in row order.
  package var array: [Float] { Array(UnsafeBufferPointer(start: values, count: count)) }

  /// The values of one row.
  package func rowArray(_ index: Int) -> [Float] {
    Array(UnsafeBufferPointer(start: row(index), count: columns))
  }
}
