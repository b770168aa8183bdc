/// For each point of a plane, how many others lie in each direction from it.
///
/// - Complexity: O(n log n): points are met in descending order of x, and a tree of counts over y
///   says how many of those met lie above.
struct Dominance {
  /// Counts of other points.
  struct Item {
    /// With larger x, and with larger y.
    var larger = (x: 0, y: 0)
    /// With the same x, and with the same y.
    var equal = (x: 0, y: 0)
    /// With larger x and larger y.
    var above = 0
    /// With larger x and the same y.
    var aboveX = 0
    /// With the same x and larger y.
    var aboveY = 0
    /// At the same place.
    var same = 0

    /// Concordant minus discordant pairs with this point.
    var score = 0
  }

  private(set) var items: [Item]

  /// Counts by place, as sums up to a place (Fenwick 1994, doi:10.1002/spe.4380240306).
  private struct Tree {
    private var sums: [Int]

    init(_ size: Int) { sums = Array(repeating: 0, count: size + 1) }

    mutating func add(_ place: Int) {
      var i = place + 1
      while i < sums.count {
        sums[i] += 1
        i += i & -i
      }
    }

    /// How many were added at places below `place`.
    func below(_ place: Int) -> Int {
      var i = place
      var total = 0
      while i > 0 {
        total += sums[i]
        i -= i & -i
      }
      return total
    }
  }

  init(_ x: [Double], _ y: [Double]) {
    items = Array(repeating: Item(), count: x.count)
    let (placeX, countX, belowX) = Self.places(x)
    let (placeY, countY, belowY) = Self.places(y)
    let n = x.count
    let order = x.indices.sorted { placeX[$0] > placeX[$1] }
    var tree = Tree(countY.count)
    var met = 0
    var start = 0
    while start < n {
      var end = start
      while end < n, placeX[order[end]] == placeX[order[start]] { end += 1 }
      for place in start..<end {
        let i = order[place]
        let y = placeY[i]
        items[i].above = met - tree.below(y + 1)
        items[i].aboveX = tree.below(y + 1) - tree.below(y)
      }
      for place in start..<end { tree.add(placeY[order[place]]) }
      for place in start..<end {
        let i = order[place]
        let y = placeY[i]
        items[i].aboveY = met + (end - start) - tree.below(y + 1) - items[i].above
        items[i].same = tree.below(y + 1) - tree.below(y) - items[i].aboveX - 1
      }
      met += end - start
      start = end
    }
    for i in 0..<n {
      let (a, b) = (placeX[i], placeY[i])
      items[i].larger = (n - belowX[a] - countX[a], n - belowY[b] - countY[b])
      items[i].equal = (countX[a] - 1, countY[b] - 1)
      // Points of larger x lie above, level or below in y; those of smaller x are what is left.
      let item = items[i]
      let largerXSmallerY = item.larger.x - item.above - item.aboveX
      let smallerXLargerY = item.larger.y - item.above - item.aboveY
      let smallerX = belowX[a]
      let smallerXSameY = item.equal.y - item.aboveX - item.same
      let smallerBoth = smallerX - smallerXLargerY - smallerXSameY
      items[i].score = item.above + smallerBoth - largerXSmallerY - smallerXLargerY
    }
  }

  /// Each value's place among the distinct ones, how often each of those occurs, and how many
  /// values lie below each.
  private static func places(
    _ values: [Double]
  ) -> (places: [Int], counts: [Int], below: [Int]) {
    let order = values.indices.sorted { values[$0] < values[$1] }
    var places = [Int](repeating: 0, count: values.count)
    var counts: [Int] = []
    var below: [Int] = []
    for (k, i) in order.enumerated() {
      if k == 0 || values[i] != values[order[k - 1]] {
        counts.append(0)
        below.append(k)
      }
      places[i] = counts.count - 1
      counts[counts.count - 1] += 1
    }
    return (places, counts, below)
  }
}
