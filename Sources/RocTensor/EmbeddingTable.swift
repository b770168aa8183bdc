/// Rows of a table: mapped and widened when asked for, or trained.
package struct EmbeddingTable: Sendable {
  private let weights: RawWeights?
  private let parameter: Parameter?
  package let rows: Int
  package let columns: Int

  /// - Parameters:
  ///   - weights: [rows, columns]; nil for a table that was never read.
  ///   - rows: Ids.
  ///   - columns: Values of each.
  package init(weights: RawWeights?, rows: Int, columns: Int) {
    self.weights = weights
    self.rows = rows
    self.columns = columns
    parameter = nil
  }

  /// A table whose rows are trained; in panels where products use the same weights.
  package init(trained parameter: Parameter, rows: Int, columns: Int) {
    self.parameter = parameter
    self.rows = rows
    self.columns = columns
    weights = nil
  }

  /// The rows of these ids, [ids.count, columns].
  package func callAsFunction(_ ids: [Int], _ compute: Compute) -> Matrix {
    let result = compute.zeros(ids.count, columns)
    for (row, id) in ids.enumerated() {
      precondition(id >= 0 && id < rows, "token \(id) of a table of \(rows)")
      if let parameter {
        parameter.copyRow(id, columns: columns, to: result.row(row), compute)
      } else if let weights {
        weights.widened(row: id).withUnsafeBufferPointer { source in
          guard let start = source.baseAddress else { return }
          compute.device.upload(start, to: result.row(row), columns)
        }
      }
    }
    return result
  }

  /// Adds to the gradient of the rows of these ids, where the table is trained.
  package func addGradient(_ gradient: borrowing Matrix, at ids: [Int]) {
    parameter?.addToGradient(gradient, at: ids)
  }
}
