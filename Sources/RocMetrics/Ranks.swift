/// Average ranks: equal values share the mean of their places, as scipy's `rankdata` has it.
///
/// - Parameter values: Finite numbers.
/// - Returns: Ranks from 1 in the order of `values`.
/// - Complexity: O(n log n).
package func averageRanks(_ values: [Double]) -> [Double] {
  let order = values.indices.sorted { values[$0] < values[$1] }
  var ranks = [Double](repeating: 0, count: values.count)
  var start = 0
  while start < order.count {
    var end = start + 1
    while end < order.count, values[order[end]] == values[order[start]] { end += 1 }
    for place in start..<end { ranks[order[place]] = Double(start + end + 1) / 2 }
    start = end
  }
  return ranks
}
