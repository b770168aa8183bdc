import CRocKernels

/// Values of a model that training may change, and their gradient while it does.
///
/// Values change only between passes, under their one owner; forward passes read them from any
/// thread.
@safe
package final class Parameter: @unchecked Sendable {
  /// How the values lie in memory.
  package enum Layout: Sendable, Equatable {
    /// In row order.
    case rows
    /// As the kernels' panels of 64 outputs, missing outputs being zero.
    case panels(outputs: Int, inputs: Int)
  }

  package let layout: Layout
  /// Floats in memory; panels hold more than there are weights.
  package let count: Int
  let values: UnsafeMutablePointer<Float>
  /// As many floats as values for each slot when the parameter is trained.
  private var gradients: [UnsafeMutablePointer<Float>] = []

  /// What the current thread adds to; nil when the parameter is not trained.
  var gradient: UnsafeMutablePointer<Float>? {
    gradients.isEmpty ? nil : gradients[roc_gradient_slot()]
  }

  /// Zeros in panels for weights [outputs, inputs].
  package init(outputs: Int, inputs: Int) {
    layout = .panels(outputs: outputs, inputs: inputs)
    count = Precision.f32.packedBytes(outputs: outputs, inputs: inputs) / 4
    values = Self.zeros(count)
  }

  /// Copies values in row order.
  package init(_ array: [Float]) {
    layout = .rows
    count = array.count
    values = Self.zeros(count)
    array.withUnsafeBufferPointer { source in
      if let start = source.baseAddress { values.update(from: start, count: source.count) }
    }
  }

  deinit {
    values.deallocate()
    for gradient in gradients { gradient.deallocate() }
  }

  private static func zeros(_ count: Int) -> UnsafeMutablePointer<Float> {
    let memory = UnsafeMutableRawPointer.allocate(byteCount: max(count, 1) * 4, alignment: 64)
    let values = memory.bindMemory(to: Float.self, capacity: max(count, 1))
    values.initialize(repeating: 0, count: max(count, 1))
    return values
  }

  /// Makes room for the gradient, which is zero.
  ///
  /// - Parameter slots: Parts of a batch whose gradients are summed separately.
  package func train(slots: Int = 1) {
    while gradients.count < slots { gradients.append(Self.zeros(count)) }
  }

  /// Whether no value is infinite or NaN.
  package func isFinite(_ compute: Compute) -> Bool {
    compute.device.isFinite(values, ROC_F32, count)
  }

  package func clearGradient() {
    for gradient in gradients { gradient.update(repeating: 0, count: count) }
  }

  /// Adds the gradients of all slots to that of the first, in their order.
  package func gatherGradient(_ compute: Compute) {
    guard let first = gradients.first else { return }
    for other in gradients.dropFirst() {
      compute.device.add(other, count, to: first)
      other.update(repeating: 0, count: count)
    }
  }

  /// How many values there are without padding.
  package var size: Int {
    switch layout {
    case .rows: count
    case .panels(let outputs, let inputs): outputs * inputs
    }
  }

  /// The values in row order.
  package func array(_ compute: Compute) -> [Float] { inRows(values, compute) }

  /// The gradient in row order; nil when the parameter is not trained.
  package func gradientArray(_ compute: Compute) -> [Float]? {
    gradient.map { inRows($0, compute) }
  }

  private func inRows(_ source: UnsafeMutablePointer<Float>, _ compute: Compute) -> [Float] {
    Array(unsafeUninitializedCapacity: size) { buffer, filled in
      guard let start = buffer.baseAddress else { return }
      switch layout {
      case .rows: start.update(from: source, count: count)
      case .panels(let outputs, let inputs):
        compute.device.unpack(source, outputs: outputs, inputs: inputs, into: start)
      }
      filled = size
    }
  }

  /// Replaces all values with those of `array`, in row order.
  package func replace(with array: [Float], _ compute: Compute) {
    precondition(array.count == size, "\(array.count) values for a parameter of \(size)")
    switch layout {
    case .rows:
      array.withUnsafeBufferPointer { source in
        if let start = source.baseAddress { values.update(from: start, count: source.count) }
      }
    case .panels(let outputs, let inputs):
      _ = array.withUnsafeBytes { source in
        source.baseAddress.map {
          compute.device.pack(
            $0, ROC_F32, outputs: outputs, inputs: inputs, as: ROC_F32, into: values)
        }
      }
    }
  }

  /// Whether the parameter is trained.
  package var isTrained: Bool { !gradients.isEmpty }

  /// Runs `body` with the gradients that this thread adds going to `slot`.
  package static func withSlot<Value>(_ slot: Int, _ body: () throws -> Value) rethrows -> Value {
    roc_set_gradient_slot(slot)
    defer { roc_set_gradient_slot(0) }
    return try body()
  }

  /// Adds `rows` of a table [_, columns] to the gradient, when there is one.
  package func addToGradient(_ rows: borrowing Matrix, at ids: [Int]) {
    guard let gradient else { return }
    let columns = rows.columns
    for (row, id) in ids.enumerated() {
      let source = rows.row(row)
      let (start, step) = place(ofRow: id, columns: columns)
      let target = gradient + start
      for i in 0..<columns { target[i * step] += source[i] }
    }
  }

  /// Where a row of [_, columns] begins, and how far its values are apart.
  private func place(ofRow row: Int, columns: Int) -> (start: Int, step: Int) {
    switch layout {
    case .rows: return (row * columns, 1)
    case .panels:
      let panel = Int(ROC_PANEL)
      return (row / panel * panel * columns + row % panel, panel)
    }
  }

  /// Copies a row of [_, columns] to the device.
  func copyRow(
    _ row: Int, columns: Int, to target: UnsafeMutablePointer<Float>, _ compute: Compute
  ) {
    let (start, step) = place(ofRow: row, columns: columns)
    guard step > 1 else { return compute.device.copy(values + start, to: target, columns) }
    let row = (0..<columns).map { values[start + $0 * step] }
    row.withUnsafeBufferPointer { source in
      if let first = source.baseAddress { compute.device.upload(first, to: target, columns) }
    }
  }
}

extension Compute {
  /// The sum of the squares of a parameter's gradient; 0 when it is not trained.
  package func squaredGradient(_ parameter: Parameter) -> Double {
    guard let gradient = parameter.gradient else { return 0 }
    return device.sumOfSquares(gradient, parameter.count)
  }
}
