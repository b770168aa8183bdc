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

extension Compute {
  /// Softmax(scale · Q Kᵀ) V for every head.
  ///
  /// - Parameters:
  ///   - query: [queries, heads · width].
  ///   - key: [keys, keyHeads · width].
  ///   - value: As `key`.
  ///   - queries: Rows of queries.
  ///   - keys: Rows of keys and values.
  ///   - heads: Query heads; a multiple of `keyHeads`.
  ///   - keyHeads: Heads of keys and values; consecutive query heads share one.
  ///   - width: Values of a head.
  ///   - scale: Factor of the scores, 1/√width in these models.
  ///   - firstVisible: Keys that query 0 sees; each later query sees one more. All when nil.
  /// - Returns: [queries, heads · width].
  package func attend(
    query: HeadLayout, key: HeadLayout, value: HeadLayout, queries: Int, keys: Int, heads: Int,
    keyHeads: Int, width: Int, scale: Float, firstVisible: Int? = nil
  ) -> Matrix {
    precondition(heads % keyHeads == 0, "\(heads) query heads over \(keyHeads) key heads")
    precondition(
      firstVisible.map { $0 > 0 && $0 + queries - 1 <= keys } ?? true,
      "\(queries) causal queries from key \(firstVisible ?? 0) of \(keys)")
    let output = Matrix(uninitialized: queries, heads * width)
    var shape = roc_attention(
      query: query.values, key: key.values, value: value.values, output: output.values,
      query_stride: query.rowStride, key_stride: key.rowStride, value_stride: value.rowStride,
      output_stride: heads * width, query_head: query.headStride, key_head: key.headStride,
      value_head: value.headStride, queries: queries, keys: keys, heads: heads,
      group: heads / keyHeads, width: width, scale: scale, first_visible: firstVisible ?? 0)
    let scratch = Matrix(uninitialized: threads, roc_attention_scratch(&shape))
    roc_attend(team, kernels, &shape, scratch.values)
    return output
  }
}
