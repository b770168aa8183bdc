import CRocKernels

/// Where the heads of queries, keys or values lie in the rows of a matrix.
package struct HeadLayout: Sendable {
  /// The column at which the first head begins.
  package let column: Int
  /// Columns from one head to the next.
  package let stride: Int

  package init(column: Int = 0, stride: Int) {
    self.column = column
    self.stride = stride
  }
}

/// Sizes of an attention over several heads.
package struct AttentionShape: Sendable {
  /// Rows of queries.
  package var queries: Int
  /// Rows of keys and values.
  package var keys: Int
  /// Query heads; a multiple of `keyHeads`.
  package var heads: Int
  /// Heads of keys and values; consecutive query heads share one.
  package var keyHeads: Int
  /// Values of a head.
  package var width: Int
  /// Factor of the scores, 1/√width in these models.
  package var scale: Float
  /// Keys that query 0 sees, one more for each later query; all when nil.
  package var firstVisible: Int?
  /// One mark per key, nonzero where no query sees it, 0 for the first; empty when none is hidden.
  package var hidden: [UInt8]
  /// Of both products, `f32` or `bf16`; the softmax between them is always float32.
  package var precision: Precision
  /// Where the heads lie in the rows; by default side by side from the first column on.
  package var layouts: (query: HeadLayout, key: HeadLayout, value: HeadLayout)
  /// The first row of the sequence among those of queries and of the result, and among those of
  /// keys and values.
  package var first = (query: 0, key: 0)

  package init(
    queries: Int, keys: Int, heads: Int, keyHeads: Int, width: Int, scale: Float? = nil,
    firstVisible: Int? = nil, hidden: [UInt8] = [], precision: Precision = .f32
  ) {
    precondition(heads % keyHeads == 0, "\(heads) query heads over \(keyHeads) key heads")
    precondition(
      firstVisible.map { $0 > 0 && $0 + queries - 1 <= keys } ?? true,
      "\(queries) causal queries from key \(firstVisible ?? 0) of \(keys)")
    precondition(
      hidden.isEmpty || hidden.count == keys && hidden[0] == 0,
      "\(hidden.count) marks for \(keys) keys")
    self.queries = queries
    self.keys = keys
    self.heads = heads
    self.keyHeads = keyHeads
    self.width = width
    self.scale = scale ?? 1 / Float(width).squareRoot()
    self.firstVisible = firstVisible
    self.hidden = hidden
    self.precision = precision
    let layout = HeadLayout(stride: width)
    layouts = (layout, layout, layout)
  }

  /// The kernels' description of an attention of this shape.
  ///
  /// - Parameters:
  ///   - places: Of queries, keys and values, and of the result.
  ///   - marks: Those of `hidden`.
  /// - Returns: A job for a device.
  func job(_ places: AttentionPlaces, hidden marks: UnsafePointer<UInt8>?) -> roc_attention {
    precondition(precision != .int8, "attention in 8 bits")
    return roc_attention(
      format: precision.kernelType, query: places.query.start, key: places.key.start,
      value: places.value.start, output: places.output, query_stride: places.query.stride,
      key_stride: places.key.stride, value_stride: places.value.stride,
      output_stride: heads * width, query_head: places.query.head, key_head: places.key.head,
      value_head: places.value.head, queries: queries, keys: keys, heads: heads,
      group: heads / keyHeads, width: width, scale: scale, first_visible: firstVisible ?? 0,
      hidden: hidden.isEmpty ? nil : marks)
  }
}

/// Where an attention reads and writes.
struct AttentionPlaces {
  /// The heads of some rows of a matrix.
  struct Heads {
    let start: UnsafeMutablePointer<Float>
    /// Floats from one row to the next.
    let stride: Int
    /// Floats from one head to the next.
    let head: Int

    fileprivate init(
      _ matrix: borrowing Matrix, _ layout: HeadLayout, from row: Int, rows: Int, heads: Int,
      _ width: Int
    ) {
      precondition(
        row + rows <= matrix.rows
          && layout.column + (heads - 1) * layout.stride + width <= matrix.columns,
        "\(heads) heads in \(rows) rows from \(row) of \(matrix.rows) x \(matrix.columns)")
      start = matrix.values + row * matrix.columns + layout.column
      stride = matrix.columns
      head = layout.stride
    }
  }

  let query: Heads
  let key: Heads
  let value: Heads
  let output: UnsafeMutablePointer<Float>

  fileprivate init(
    _ query: borrowing Matrix, _ key: borrowing Matrix, _ value: borrowing Matrix,
    _ shape: AttentionShape, output: UnsafeMutablePointer<Float>
  ) {
    self.query = Heads(
      query, shape.layouts.query, from: shape.first.query, rows: shape.queries,
      heads: shape.heads, shape.width)
    self.key = Heads(
      key, shape.layouts.key, from: shape.first.key, rows: shape.keys, heads: shape.keyHeads,
      shape.width)
    self.value = Heads(
      value, shape.layouts.value, from: shape.first.key, rows: shape.keys, heads: shape.keyHeads,
      shape.width)
    self.output = output
  }
}

extension Compute {
  /// How to attend beside products of `weights`: in `bf16` where those are rounded anyway and it
  /// is faster than float32.
  package func attentionPrecision(beside weights: Precision?) -> Precision {
    attendsInBF16 && weights != .f32 && weights != nil ? .bf16 : .f32
  }

  /// Softmax(scale · Q Kᵀ) V for every head of one sequence.
  ///
  /// - Parameters:
  ///   - query: Rows with the heads of queries.
  ///   - key: Rows with the heads of keys.
  ///   - value: Rows with the heads of values.
  ///   - shape: Sizes, and where in the rows everything lies.
  ///   - output: [_, heads · width]; the sequence's rows are written.
  package func attend(
    _ query: borrowing Matrix, _ key: borrowing Matrix, _ value: borrowing Matrix,
    _ shape: AttentionShape, into output: borrowing Matrix
  ) {
    guard shape.queries > 0 else { return }
    precondition(
      output.columns == shape.heads * shape.width
        && shape.first.query + shape.queries <= output.rows,
      "attention of \(shape.queries) rows into \(output.rows) x \(output.columns)")
    let places = AttentionPlaces(
      query, key, value, shape, output: output.row(shape.first.query))
    shape.hidden.withUnsafeBufferPointer { marks in
      device.attend(shape.job(places, hidden: marks.baseAddress))
    }
  }

  /// The gradients of `attend`'s inputs, for a sequence that begins in row 0.
  ///
  /// - Parameters:
  ///   - gradient: Of the result, [queries, heads · width].
  ///   - query: As in the forward pass.
  ///   - key: As in the forward pass.
  ///   - value: As in the forward pass.
  ///   - dQuery: Written; its heads lie as those of `query`.
  ///   - dKey: Added to; its heads lie as those of `key`.
  ///   - dValue: Added to; its heads lie as those of `value`.
  ///   - shape: As in the forward pass.
  package func attendGradient(
    _ gradient: borrowing Matrix, _ query: borrowing Matrix, _ key: borrowing Matrix,
    _ value: borrowing Matrix, into dQuery: borrowing Matrix, _ dKey: borrowing Matrix,
    _ dValue: borrowing Matrix, _ shape: AttentionShape
  ) {
    precondition(shape.first == (0, 0), "a derivative of a sequence among others")
    precondition(
      dQuery.columns == query.columns && dKey.columns == key.columns
        && dValue.columns == value.columns, "gradients of other widths than what they belong to")
    let places = AttentionPlaces(query, key, value, shape, output: gradient.values)
    let targets = AttentionPlaces(dQuery, dKey, dValue, shape, output: gradient.values)
    shape.hidden.withUnsafeBufferPointer { marks in
      device.attendGradient(
        roc_attention_gradient(
          shape: shape.job(places, hidden: marks.baseAddress), d_output: gradient.values,
          d_query: targets.query.start, d_key: targets.key.start, d_value: targets.value.start))
    }
  }
}
