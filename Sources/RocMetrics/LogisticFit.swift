#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// The monotonic curves that quality assessment fits to predictions before PLCC.
///
/// Four parameters: f(x) = (b1 − b2) / (1 + exp(−(x − b3) / b4)) + b2 (VQEG 2003, pyiqa, DeQA).
/// Five: f(x) = b1 (1/2 − 1 / (1 + exp(b2 (x − b3)))) + b4 x + b5 (Sheikh et al. 2006,
/// doi:10.1109/TIP.2006.881959).
package enum LogisticFit {
  package enum Curve: Sendable {
    case fourParameters
    case fiveParameters
  }

  /// Pearson's correlation of the fitted predictions with the ground truth.
  ///
  /// - Returns: Nil for fewer pairs than parameters, constant lists, or a fit that diverges.
  package static func correlation(
    _ predicted: [Double], _ truth: [Double], curve: Curve
  ) -> Double? {
    guard let parameters = fit(predicted, truth, curve: curve) else { return nil }
    let fitted = predicted.map { value($0, parameters, curve) }
    guard fitted.allSatisfy(\.isFinite) else { return nil }
    return Correlation.pearson(fitted, truth)
  }

  /// Least squares by Levenberg and Marquardt.
  ///
  /// The four-parameter curve starts where VQEG starts it. The customary start of the five-parameter
  /// curve has b2 = 0, where nothing but the straight line can grow, and solvers end wherever rounding
  /// pushes them; so other starts compete with it, first on a sample, the best on all pairs.
  static func fit(_ x: [Double], _ y: [Double], curve: Curve) -> [Double]? {
    let count = curve == .fourParameters ? 4 : 5
    guard x.count > count, !isConstant(x), !isConstant(y),
      let least = y.min(), let largest = y.max()
    else { return nil }
    if curve == .fourParameters {
      return descend(
        x, y, from: [largest, least, mean(x), populationDeviation(x) / 4], curve, most: 10_000
      ).parameters
    }
    let step = max(1, x.count / 2000)
    let places = stride(from: 0, to: x.count, by: step)
    let (fewX, fewY) = (places.map { x[$0] }, places.map { y[$0] })
    let sorted = x.sorted()
    let width = 1 / populationDeviation(x)
    var starts = [[10, 0, mean(y), 0.1, 0.1]]
    for height in [largest - least, least - largest] {
      for slope in [width, 4 * width] {
        for place in [1, 2, 3] {
          starts.append([height, slope, sorted[(x.count - 1) * place / 4], 0, mean(y)])
        }
      }
    }
    let tried = starts.map { descend(fewX, fewY, from: $0, curve, most: 60) }
      .sorted { $0.cost < $1.cost }
    return tried.prefix(3).map { descend(x, y, from: $0.parameters, curve, most: 1000) }
      .min { $0.cost < $1.cost }?.parameters
  }

  /// Goes downhill until three steps in a row gain nothing.
  private static func descend(
    _ x: [Double], _ y: [Double], from start: [Double], _ curve: Curve, most: Int
  ) -> (parameters: [Double], cost: Double) {
    let count = start.count
    var parameters = start
    var cost = sumOfSquares(x, y, parameters, curve)
    var damping = 1e-3
    var scale = [Double](repeating: 0, count: count)
    var idle = 0
    for _ in 0..<most {
      let (matrix, gradient) = normalEquations(x, y, parameters, curve)
      for i in 0..<count { scale[i] = max(scale[i], matrix[i][i]) }
      var accepted = false
      while !accepted, damping < 1e15 {
        var damped = matrix
        for i in 0..<count { damped[i][i] += damping * (scale[i] > 0 ? scale[i] : 1) }
        if let step = solve(damped, gradient) {
          let next = zip(parameters, step).map(+)
          let nextCost = sumOfSquares(x, y, next, curve)
          if nextCost <= cost {
            idle = cost - nextCost <= 1e-14 * cost ? idle + 1 : 0
            parameters = next
            cost = nextCost
            damping = max(damping / 10, 1e-15)
            accepted = true
            continue
          }
        }
        damping *= 10
      }
      if !accepted || idle == 3 { break }
    }
    return (parameters, cost)
  }

  private static func value(_ x: Double, _ b: [Double], _ curve: Curve) -> Double {
    switch curve {
    case .fourParameters: (b[0] - b[1]) / (1 + exp(-(x - b[2]) / b[3])) + b[1]
    case .fiveParameters: b[0] * (0.5 - 1 / (1 + exp(b[1] * (x - b[2])))) + b[3] * x + b[4]
    }
  }

  /// Writes the value's derivatives by each parameter.
  private static func writeSlopes(
    _ x: Double, _ b: [Double], _ curve: Curve, to slopes: UnsafeMutableBufferPointer<Double>
  ) {
    switch curve {
    case .fourParameters:
      let s = 1 / (1 + exp(-(x - b[2]) / b[3]))
      let bend = (b[0] - b[1]) * s * (1 - s) / b[3]
      slopes[0] = s
      slopes[1] = 1 - s
      slopes[2] = -bend
      slopes[3] = -bend * (x - b[2]) / b[3]
    case .fiveParameters:
      let s = 1 / (1 + exp(b[1] * (x - b[2])))
      let bend = b[0] * s * (1 - s)
      slopes[0] = 0.5 - s
      slopes[1] = bend * (x - b[2])
      slopes[2] = -bend * b[1]
      slopes[3] = x
      slopes[4] = 1
    }
  }

  private static func sumOfSquares(
    _ x: [Double], _ y: [Double], _ b: [Double], _ curve: Curve
  ) -> Double {
    var sum = 0.0
    for i in x.indices {
      let gap = value(x[i], b, curve) - y[i]
      sum += gap * gap
    }
    return sum.isFinite ? sum : .infinity
  }

  /// JᵀJ and −Jᵀr.
  private static func normalEquations(
    _ x: [Double], _ y: [Double], _ b: [Double], _ curve: Curve
  ) -> ([[Double]], [Double]) {
    let count = b.count
    // Flat, as arrays of arrays would be checked for sharing at each of a million additions.
    var sums = [Double](repeating: 0, count: count * count)
    var gradient = [Double](repeating: 0, count: count)
    var slope = [Double](repeating: 0, count: count)
    sums.withUnsafeMutableBufferPointer { sums in
      gradient.withUnsafeMutableBufferPointer { gradient in
        slope.withUnsafeMutableBufferPointer { slope in
          for i in x.indices {
            writeSlopes(x[i], b, curve, to: slope)
            let gap = value(x[i], b, curve) - y[i]
            for j in 0..<count {
              for k in 0..<count { sums[j * count + k] += slope[j] * slope[k] }
              gradient[j] -= slope[j] * gap
            }
          }
        }
      }
    }
    let matrix = (0..<count).map { Array(sums[$0 * count..<($0 + 1) * count]) }
    return (matrix, gradient)
  }

  /// Gaussian elimination with pivoting; nil for a singular matrix.
  private static func solve(_ matrix: [[Double]], _ right: [Double]) -> [Double]? {
    var rows = zip(matrix, right).map { $0 + [$1] }
    let count = right.count
    for column in 0..<count {
      let pivot = (column..<count).max { abs(rows[$0][column]) < abs(rows[$1][column]) } ?? column
      rows.swapAt(column, pivot)
      guard abs(rows[column][column]) > 0 else { return nil }
      for row in 0..<count where row != column {
        let factor = rows[row][column] / rows[column][column]
        for k in column...count { rows[row][k] -= factor * rows[column][k] }
      }
    }
    let solution = (0..<count).map { rows[$0][count] / rows[$0][$0] }
    return solution.allSatisfy(\.isFinite) ? solution : nil
  }
}
