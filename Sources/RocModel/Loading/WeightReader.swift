import RocCheckpoint
import RocTensor

/// Hands out weights by name and shape, and collects everything that does not fit.
///
/// A model is built twice from the same code: a first, checking pass touches no data and finds
/// every missing and misshapen tensor and the memory that the second pass will take.
final class WeightReader {
  private let checkpoint: Checkpoint
  private let compute: Compute
  let isChecking: Bool
  private(set) var problems: [String] = []
  private(set) var asked: Set<String> = []
  /// Bytes of float32 that the weights take in memory.
  private(set) var bytes = 0

  init(_ checkpoint: Checkpoint, compute: Compute, isChecking: Bool) {
    self.checkpoint = checkpoint
    self.compute = compute
    self.isChecking = isChecking
  }

  /// Weights [outputs, inputs] as `<name>.weight`, and `<name>.bias` where there is one.
  func linear(_ name: String, outputs: Int, inputs: Int, bias: Bool = true) -> Linear {
    let weights = raw("\(name).weight", shape: [outputs, inputs])
    let bias = bias ? vector("\(name).bias", count: outputs) : nil
    count([outputs.rounded(upTo: 64), inputs])
    guard let weights else { return Linear(unread: outputs, inputs) }
    return Linear(weights, bias: bias, compute: compute)
  }

  /// Weights stored with more axes, read as [outputs, inputs].
  func linear(_ name: String, shape: [Int], outputs: Int, inputs: Int) -> Linear {
    count([outputs.rounded(upTo: 64), inputs])
    guard let weights = raw("\(name).weight", shape: shape) else {
      return Linear(unread: outputs, inputs)
    }
    return Linear(weights.reshaped(rows: outputs, columns: inputs), bias: nil, compute: compute)
  }

  func vector(_ name: String, count: Int) -> [Float] { values(name, shape: [count]) }

  /// Values of any shape as one list.
  func values(_ name: String, shape: [Int]) -> [Float] {
    count(shape)
    return raw(name, shape: shape)?.widened ?? []
  }

  /// Values that are stored, or else computed.
  func buffer(_ name: String, shape: [Int], computed: () -> [Float]) -> [Float] {
    guard checkpoint[name] == nil else { return values(name, shape: shape) }
    count(shape)
    return isChecking ? [] : computed()
  }

  /// A tensor that may be there and is not used.
  func ignore(_ name: String) { asked.insert(name) }

  /// A table whose rows are read one by one from the mapped file.
  func table(_ name: String, rows: Int, columns: Int) -> EmbeddingTable {
    EmbeddingTable(tensor: check(name, shape: [rows, columns]), rows: rows, columns: columns)
  }

  /// Adds float32 values of a shape to the need; hostile sizes stop at the largest number.
  private func count(_ shape: [Int]) {
    var product = 4
    for size in shape {
      let (next, overflow) = product.multipliedReportingOverflow(by: size)
      product = overflow ? Int.max : next
    }
    let (sum, overflow) = bytes.addingReportingOverflow(product)
    bytes = overflow ? Int.max : sum
  }

  private func raw(_ name: String, shape: [Int]) -> RawWeights? {
    guard let tensor = check(name, shape: shape), !isChecking else { return nil }
    return tensor.weights(rows: shape.first ?? 1, columns: shape.dropFirst().reduce(1, *))
  }

  private func check(_ name: String, shape: [Int]) -> Tensor? {
    asked.insert(name)
    guard let tensor = checkpoint[name] else {
      problems.append("missing: \(name) \(shape)")
      return nil
    }
    guard tensor.shape == shape else {
      problems.append("misshapen: \(name) is \(tensor.shape), config.json asks for \(shape)")
      return nil
    }
    guard [.f32, .f16, .bf16].contains(tensor.dtype) else {
      problems.append("format: \(name) is \(tensor.dtype.rawValue), expected F32, F16 or BF16")
      return nil
    }
    return tensor
  }
}

/// Rows of a mapped table, widened when asked for.
struct EmbeddingTable: Sendable {
  private let tensor: Tensor?
  let rows: Int
  let columns: Int

  init(tensor: Tensor?, rows: Int, columns: Int) {
    self.tensor = tensor
    self.rows = rows
    self.columns = columns
  }

  /// The rows of these ids, [ids.count, columns].
  func callAsFunction(_ ids: [Int]) -> Matrix {
    let result = Matrix(rows: ids.count, columns: columns)
    guard let weights = tensor?.weights(rows: rows, columns: columns) else { return result }
    for (row, id) in ids.enumerated() {
      precondition(id >= 0 && id < rows, "token \(id) of a table of \(rows)")
      result.row(row).update(from: weights.widened(row: id), count: columns)
    }
    return result
  }
}

extension Int {
  fileprivate func rounded(upTo multiple: Int) -> Int {
    (self + multiple - 1) / multiple * multiple
  }
}
