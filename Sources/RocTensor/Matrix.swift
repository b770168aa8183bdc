/// A row-major matrix of float32 that owns its memory, 64-byte aligned.
@safe
package struct Matrix: ~Copyable, @unchecked Sendable {
  package let rows: Int
  package let columns: Int
  package let values: UnsafeMutablePointer<Float>

  /// Zeros of shape [rows, columns].
  package init(rows: Int, columns: Int) {
    precondition(rows >= 0 && columns >= 0, "a matrix of \(rows) x \(columns)")
    self.rows = rows
    self.columns = columns
    let raw = UnsafeMutableRawPointer.allocate(
      byteCount: max(rows * columns, 1) * MemoryLayout<Float>.stride, alignment: 64)
    values = raw.bindMemory(to: Float.self, capacity: max(rows * columns, 1))
    values.initialize(repeating: 0, count: max(rows * columns, 1))
  }

  /// Copies `array`, which holds rows · columns values.
  package init(rows: Int, columns: Int, _ array: [Float]) {
    precondition(
      array.count == rows * columns, "\(array.count) values for a matrix of \(rows) x \(columns)")
    self.init(rows: rows, columns: columns)
    for (i, value) in array.enumerated() { values[i] = value }
  }

  deinit { values.deallocate() }

  package var count: Int { rows * columns }

  /// The first value of a row.
  package func row(_ index: Int) -> UnsafeMutablePointer<Float> {
    precondition(index >= 0 && index < rows, "row \(index) of \(rows)")
    return values + index * columns
  }

  package func copy() -> Matrix {
    let other = Matrix(rows: rows, columns: columns)
    other.values.update(from: values, count: count)
    return other
  }

  /// All values in row order.
  package var array: [Float] { Array(UnsafeBufferPointer(start: values, count: count)) }

  /// The values of one row.
  package func rowArray(_ index: Int) -> [Float] {
    Array(UnsafeBufferPointer(start: row(index), count: columns))
  }
}
