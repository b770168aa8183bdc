import RocTensor

/// What forward passes leave for their derivatives, last in first out.
///
/// Scoring passes no tape and keeps nothing. Not thread-safe: one sample, one caller.
package final class Tape {
  /// Keeps only the input of each layer, and runs the layer once more before its derivative:
  /// a third more arithmetic for a fraction of the memory.
  package let recomputes: Bool
  private var records: [AnyObject] = []

  package init(recomputes: Bool = false) { self.recomputes = recomputes }

  package var isEmpty: Bool { records.isEmpty }

  func push(_ record: AnyObject) { records.append(record) }

  func pop<Record: AnyObject>(_ type: Record.Type = Record.self) -> Record {
    guard let record = records.popLast() as? Record else {
      preconditionFailure("the derivative of \(Record.self) was asked for out of turn")
    }
    return record
  }

  /// Forgets everything, as after an evaluation that needs no derivative.
  package func clear() { records = [] }
}

/// A matrix behind a reference: a layer's input, from which a recomputing tape gets the rest.
final class LayerInput {
  let x: Matrix

  init(_ x: consuming Matrix) { self.x = x }
}
