import RocTensor

/// The products that give the queries, keys and values of a vision layer.
struct QueryKeyValue: Sendable {
  /// What the tensors are called, which says how they are joined.
  enum Names: Sendable {
    /// One product; each head's query, key and value stand side by side (mPLUG-Owl2).
    case byHead(String)
    /// One product; all queries, then all keys, then all values (Qwen2-VL).
    case byKind(String)
    /// Three products (CLIP).
    case separate(query: String, key: String, value: String)
  }

  private enum Products: Sendable {
    case joint(Linear)
    case separate(query: Linear, key: Linear, value: Linear)
  }

  private let products: Products
  private let isByHead: Bool
  private let width: Int
  private let heads: Int

  /// - Parameters:
  ///   - reader: Of the weights.
  ///   - layer: What stands before the names.
  ///   - names: Within the layer.
  ///   - width: Of the rows.
  ///   - heads: A divisor of `width`.
  init(_ reader: WeightReader, _ layer: String, _ names: Names, width: Int, heads: Int) {
    func linear(_ name: String, _ outputs: Int) -> Linear {
      reader.linear("\(layer).\(name)", outputs: outputs, inputs: width)
    }
    self.width = width
    self.heads = heads
    switch names {
    case .byHead(let name):
      products = .joint(linear(name, 3 * width))
      isByHead = true
    case .byKind(let name):
      products = .joint(linear(name, 3 * width))
      isByHead = false
    case .separate(let query, let key, let value):
      products = .separate(
        query: linear(query, width), key: linear(key, width), value: linear(value, width))
      isByHead = false
    }
  }

  /// That of the weights; nil where none were read.
  var precision: Precision? {
    switch products {
    case .joint(let all): all.weights?.precision
    case .separate(let query, _, _): query.weights?.precision
    }
  }

  /// Queries, keys and values of some rows: parts of one matrix, or three.
  final class Rows {
    private let parts: [LayerInput]

    fileprivate init(joint: consuming Matrix) { parts = [LayerInput(joint)] }

    fileprivate init(
      query: consuming Matrix, key: consuming Matrix, value: consuming Matrix
    ) { parts = [LayerInput(query), LayerInput(key), LayerInput(value)] }

    var query: LayerInput { parts[0] }
    var key: LayerInput { parts.count > 1 ? parts[1] : parts[0] }
    var value: LayerInput { parts.count > 1 ? parts[2] : parts[0] }
  }

  func callAsFunction(_ x: borrowing Matrix, _ compute: Compute) -> Rows {
    switch products {
    case .joint(let all): Rows(joint: all(x, compute))
    case .separate(let query, let key, let value):
      Rows(query: query(x, compute), key: key(x, compute), value: value(x, compute))
    }
  }

  /// Where gradients of `rows` rows are added up.
  func gradients(rows: Int, _ compute: Compute) -> Rows {
    switch products {
    case .joint: Rows(joint: compute.zeros(rows, 3 * width))
    case .separate:
      Rows(
        query: compute.zeros(rows, width), key: compute.zeros(rows, width),
        value: compute.zeros(rows, width))
    }
  }

  /// Turns queries and keys by the positions of their rows.
  func rotate(_ rows: Rows, by table: borrowing RotaryTable, _ compute: Compute) {
    switch products {
    case .joint:
      precondition(!isByHead, "rotation of heads whose queries, keys and values are side by side")
      // Queries and keys are the first two thirds of the heads.
      compute.rotate(rows.query.x, heads: 2 * heads, positions: table, first: 0)
    case .separate:
      compute.rotate(rows.query.x, heads: heads, positions: table, first: 0)
      compute.rotate(rows.key.x, heads: heads, positions: table, first: 0)
    }
  }

  /// Adds to the weights' gradients, and writes that of `x`.
  func backward(
    _ gradients: Rows, of x: borrowing Matrix, into dx: borrowing Matrix, _ compute: Compute
  ) {
    switch products {
    case .joint(let all): all.backward(gradients.query.x, of: x, into: dx, compute)
    case .separate(let query, let key, let value):
      query.backward(gradients.query.x, of: x, into: dx, compute)
      key.backward(gradients.key.x, of: x, into: dx, adds: true, compute)
      value.backward(gradients.value.x, of: x, into: dx, adds: true, compute)
    }
  }

  /// All of `rows` rows attend to each other.
  func shape(rows: Int) -> AttentionShape {
    let head = width / heads
    var shape = AttentionShape(
      queries: rows, keys: rows, heads: heads, keyHeads: heads, width: head)
    guard case .joint = products else { return shape }
    func part(_ place: Int) -> HeadLayout {
      isByHead
        ? HeadLayout(column: place * head, stride: 3 * head)
        : HeadLayout(column: place * width, stride: head)
    }
    shape.layouts = (part(0), part(1), part(2))
    return shape
  }
}
