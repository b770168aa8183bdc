import RocTensor

/// Intermediate results by name, for comparison with reference tensors.
package final class Trace {
  /// Row-major values of each recorded stage.
  package private(set) var values: [String: [Float]] = [:]

  package init() {}

  func record(_ name: String, _ matrix: borrowing Matrix) { values[name] = matrix.array }

  func record(_ name: String, _ array: [Float]) { values[name] = array }
}
