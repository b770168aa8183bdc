package import Testing

/// The largest difference of two lists, and where it is.
package func largestDifference(_ a: [Float], _ b: [Float]) -> (value: Float, index: Int) {
  var worst: (value: Float, index: Int) = (0, -1)
  for i in 0..<min(a.count, b.count) {
    let gap = abs(a[i] - b[i])
    if gap > worst.value || gap.isNaN { worst = (gap.isNaN ? .infinity : gap, i) }
  }
  return worst
}

/// Expects two lists of equal length whose values differ by `tolerance` at most.
package func expectNear(
  _ found: [Float], _ expected: [Float], _ tolerance: Float, _ what: String,
  sourceLocation: SourceLocation = #_sourceLocation
) {
  #expect(
    found.count == expected.count, "\(what): \(found.count) values", sourceLocation: sourceLocation)
  let worst = largestDifference(found, expected)
  #expect(
    worst.value <= tolerance, "\(what): value \(worst.index) differs by \(worst.value)",
    sourceLocation: sourceLocation)
}
