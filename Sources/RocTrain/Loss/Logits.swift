package import RocTensor

/// Logits of some rows in the host's memory, which the loss turns into their gradients.
package final class Logits: @unchecked Sendable {
  package let rows: Int
  package let columns: Int
  /// The columns of the score tokens.
  package let scores: Range<Int>
  /// [rows, columns].
  package var values: [Float]

  /// - Parameters:
  ///   - matrix: [rows, columns], read back from its device.
  ///   - scores: The columns of the score tokens, from the lowest score to the highest.
  package convenience init(_ matrix: borrowing Matrix, scores: Range<Int>) {
    self.init(rows: matrix.rows, columns: matrix.columns, matrix.array, scores: scores)
  }

  package init(rows: Int, columns: Int, _ values: [Float], scores: Range<Int>) {
    precondition(values.count == rows * columns && scores.upperBound <= columns)
    self.rows = rows
    self.columns = columns
    self.values = values
    self.scores = scores
  }

  /// The values of one row.
  package func row(_ row: Int) -> [Float] { Array(values[row * columns..<(row + 1) * columns]) }

  /// The score tokens' logits of a row.
  package func scores(_ row: Int) -> [Double] {
    scores.map { Double(values[row * columns + $0]) }
  }

  /// Sets all values to zero.
  func clear() { values = [Float](repeating: 0, count: values.count) }

  /// Lends a row.
  func withRow<Value>(_ row: Int, _ body: (UnsafeMutableBufferPointer<Float>) -> Value) -> Value {
    values.withUnsafeMutableBufferPointer {
      body(UnsafeMutableBufferPointer(rebasing: $0[row * columns..<(row + 1) * columns]))
    }
  }

  /// The values on a device.
  package func matrix(_ compute: Compute) -> Matrix { compute.matrix(rows, columns, values) }
}
