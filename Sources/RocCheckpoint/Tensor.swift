import RocFiles
package import RocTensor

/// One tensor of a weight file: format, shape and where its values lie; nothing converted.
package struct Tensor: Sendable {
  package let name: String
  package let dtype: DType
  package let shape: [Int]
  /// Where the values lie in the file; for a view, the storage that it looks into.
  let range: Range<Int>
  let file: MappedFile
  /// How a view walks through its storage; nil when the values are in row-major order.
  let view: View?

  /// A tensor that shares its storage with others or walks through it in another order.
  struct View: Sendable, Equatable {
    /// Values from the storage's first to the tensor's.
    let offset: Int
    /// Values from one index to the next along each axis.
    let strides: [Int]
  }

  init(
    name: String, dtype: DType, shape: [Int], range: Range<Int>, file: MappedFile,
    view: View? = nil
  ) {
    self.name = name
    self.dtype = dtype
    self.shape = shape
    self.range = range
    self.file = file
    self.view = view
  }

  /// The same tensor under another name.
  package func renamed(_ name: String) -> Tensor {
    Tensor(name: name, dtype: dtype, shape: shape, range: range, file: file, view: view)
  }

  /// Whether another tensor has the same format, shape and bytes.
  func equals(_ other: Tensor) -> Bool {
    guard dtype == other.dtype, shape == other.shape else { return false }
    return withContents { own in other.withContents { own.elementsEqual($0) } }
  }

  package var count: Int { shape.reduce(1, *) }

  package var byteCount: Int { count * dtype.size }

  /// The file that holds the tensor.
  package var path: String { file.path }

  /// Whether the values begin at a multiple of `alignment` in the file.
  package func isAligned(to alignment: Int) -> Bool {
    view == nil && range.lowerBound % alignment == 0
  }

  /// The values as a matrix of rows · columns, which must be all of them.
  package func weights(rows: Int, columns: Int) -> RawWeights {
    let plain = contiguous
    return RawWeights(
      file: plain.file, range: plain.range, dtype: dtype, rows: rows, columns: columns)
  }

  /// Panels that the kernels use as they lie in the file.
  package func panels(precision: Precision, outputs: Int, inputs: Int) -> PackedWeights {
    PackedWeights(
      file: file, start: range.lowerBound, precision: precision, outputs: outputs, inputs: inputs)
  }

  /// The values widened to float32, in row-major order.
  package var widened: [Float] { weights(rows: 1, columns: count).widened }

  /// Lends the values' bytes in row-major order, little-endian.
  package func withContents<Value: ~Copyable, Failure: Error>(
    _ body: (UnsafeRawBufferPointer) throws(Failure) -> Value
  ) throws(Failure) -> Value {
    let plain = contiguous
    return try plain.file.withBytes { bytes throws(Failure) in
      try body(UnsafeRawBufferPointer(rebasing: bytes[plain.range]))
    }
  }

  /// The tensor with its values in row-major order, copied where they are not.
  private var contiguous: Tensor {
    guard let view else { return self }
    let size = dtype.size
    let copy = try? MappedFile(memory: "\(path): \(name)", count: byteCount) { target in
      file.withBytes { source in
        guard let to = target.baseAddress, let base = source.baseAddress else { return }
        let from = base + range.lowerBound + view.offset * size
        copyRows(from, view.strides, to, size: size)
      }
    }
    guard let copy else { preconditionFailure("no memory for \(name), \(byteCount) bytes") }
    return Tensor(name: name, dtype: dtype, shape: shape, range: 0..<byteCount, file: copy)
  }

  /// Copies value by value, the last axis fastest.
  private func copyRows(
    _ from: UnsafeRawPointer, _ strides: [Int], _ to: UnsafeMutableRawPointer, size: Int
  ) {
    let inner = shape.last ?? 1
    let step = (strides.last ?? 1) * size
    var index = [Int](repeating: 0, count: max(shape.count - 1, 0))
    var target = to
    for _ in 0..<(inner == 0 ? 0 : count / inner) {
      var source = from + zip(index, strides).reduce(0) { $0 + $1.0 * $1.1 } * size
      for _ in 0..<inner {
        target.copyMemory(from: source, byteCount: size)
        target += size
        source += step
      }
      for axis in index.indices.reversed() {
        index[axis] += 1
        if index[axis] < shape[axis] { break }
        index[axis] = 0
      }
    }
  }
}
