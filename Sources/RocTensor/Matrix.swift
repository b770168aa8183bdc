/// A row-major matrix of float32 in the memory of a device.
///
/// Only the operations of `Compute` work on it; `array` and `rowArray` read it back.
@safe
package struct Matrix: ~Copyable, @unchecked Sendable {
  package let rows: Int
  package let columns: Int
  let values: UnsafeMutablePointer<Float>
  private let device: any Device

  /// A matrix whose every value is about to be written.
  init(on device: any Device, _ rows: Int, _ columns: Int) {
    precondition(rows >= 0 && columns >= 0, "a matrix of \(rows) x \(columns)")
    self.rows = rows
    self.columns = columns
    self.device = device
    let raw = device.take(Self.bytes(rows, columns))
    values = raw.bindMemory(to: Float.self, capacity: max(rows * columns, 1))
  }

  deinit { device.give(UnsafeMutableRawPointer(values), Self.bytes(rows, columns)) }

  private static func bytes(_ rows: Int, _ columns: Int) -> Int {
    max(rows * columns, 1) * MemoryLayout<Float>.stride
  }

  package var count: Int { rows * columns }

  /// The first value of a row.
  func row(_ index: Int) -> UnsafeMutablePointer<Float> {
    precondition(index >= 0 && index < rows, "row \(index) of \(rows)")
    return values + index * columns
  }

  package func copy() -> Matrix { copy(rows: 0..<rows) }

  /// Copies of some rows.
  package func copy(rows range: Range<Int>) -> Matrix {
    precondition(range.lowerBound >= 0 && range.upperBound <= rows, "rows \(range) of \(rows)")
    let other = Matrix(on: device, range.count, columns)
    device.copy(values + range.lowerBound * columns, to: other.values, other.count)
    return other
  }

  /// All values in row order, read back from the device.
  package var array: [Float] { read(values, count) }

  /// The values of one row, read back from the device.
  package func rowArray(_ index: Int) -> [Float] { read(row(index), columns) }

  private func read(_ start: UnsafePointer<Float>, _ count: Int) -> [Float] {
    Array(unsafeUninitializedCapacity: count) { buffer, filled in
      if let target = buffer.baseAddress { device.download(start, to: target, count) }
      filled = count
    }
  }
}

/// Matrices of a device.
extension Compute {
  /// A matrix whose every value is about to be written.
  package func matrix(_ rows: Int, _ columns: Int) -> Matrix { Matrix(on: device, rows, columns) }

  /// Zeros.
  package func zeros(_ rows: Int, _ columns: Int) -> Matrix {
    let result = matrix(rows, columns)
    device.clear(result.values, result.count)
    return result
  }

  /// A copy of `array`, which holds rows · columns values.
  package func matrix(_ rows: Int, _ columns: Int, _ array: [Float]) -> Matrix {
    precondition(
      array.count == rows * columns, "\(array.count) values for a matrix of \(rows) x \(columns)")
    let result = matrix(rows, columns)
    array.withUnsafeBufferPointer { source in
      if let start = source.baseAddress { device.upload(start, to: result.values, source.count) }
    }
    return result
  }

  /// Replaces all values of a matrix with those of an array.
  package func write(_ array: [Float], to matrix: borrowing Matrix) {
    precondition(array.count == matrix.count, "\(array.count) values for \(matrix.count)")
    array.withUnsafeBufferPointer { source in
      if let start = source.baseAddress { device.upload(start, to: matrix.values, source.count) }
    }
  }
}
