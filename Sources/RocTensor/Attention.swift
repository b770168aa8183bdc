import CRocKernels

/// Where the heads of queries, keys or values lie in the rows of a matrix.
package struct HeadLayout {
  package let values: UnsafePointer<Float>
  /// Floats from one row to the next.
  package let rowStride: Int
  /// Floats from one head to the next.
  package let headStride: Int

  package init(_ values: UnsafePointer<Float>, rowStride: Int, headStride: Int) {
    self.values = values
    self.rowStride = rowStride
    self.headStride = headStride
  }
}

extension HeadLayout: @unchecked Sendable {}

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
  /// One mark a key, not 0 where no query sees it, never the first; empty when none is hidden.
  package var hidden: [UInt8]
  /// Of both products, `f32` or `bf16`; the softmax between them is always float32.
  package var precision: Precision

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
  }

  func withKernelShape(
    query: HeadLayout, key: HeadLayout, value: HeadLayout, output: UnsafeMutablePointer<Float>,
    _ body: (roc_attention) -> Void
  ) {
    precondition(precision != .int8, "attention in 8 bits")
    hidden.withUnsafeBufferPointer { marks in
      body(
        roc_attention(
          format: precision.kernelType, query: query.values, key: key.values, value: value.values,
          output: output,
          query_stride: query.rowStride, key_stride: key.rowStride, value_stride: value.rowStride,
          output_stride: heads * width, query_head: query.headStride, key_head: key.headStride,
          value_head: value.headStride, queries: queries, keys: keys, heads: heads,
          group: heads / keyHeads, width: width, scale: scale,
          first_visible: firstVisible ?? 0, hidden: hidden.isEmpty ? nil : marks.baseAddress))
    }
  }
}

extension Compute {
  /// How to attend beside products of `weights`: in `bf16` where those are rounded anyway and it
  /// is faster than float32.
  package func attentionPrecision(beside weights: Precision?) -> Precision {
    attendsInBF16 && weights != .f32 && weights != nil ? .bf16 : .f32
  }

  /// Softmax(scale · Q Kᵀ) V for every head.
  ///
  /// - Parameters:
  ///   - query: [queries, heads · width].
  ///   - key: [keys, keyHeads · width].
  ///   - value: As `key`.
  ///   - shape: Sizes.
  /// - Returns: [queries, heads · width].
  package func attend(
    query: HeadLayout, key: HeadLayout, value: HeadLayout, shape: AttentionShape
  ) -> Matrix {
    let output = Matrix(uninitialized: shape.queries, shape.heads * shape.width)
    shape.withKernelShape(query: query, key: key, value: value, output: output.values) { shape in
      var shape = shape
      let scratch = Matrix(uninitialized: threads, roc_attention_scratch(kernels, &shape))
      roc_attend(team, kernels, &shape, scratch.values)
    }
    return output
  }
}
