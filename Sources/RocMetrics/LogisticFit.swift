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
///
/// Both are a bend s = 1 / (1 + exp(−k (x − c))) in a linear combination with 1 and, in the second,
/// x. The linear part is solved exactly at each step (variable projection, Golub and Pereyra 1973,
/// in Kaufman's form), so that only k and c are searched for.
package enum LogisticFit {
  package enum Curve: Sendable {
    case fourParameters
    case fiveParameters
  }

  /// The logarithm of the bend's steepness per standard deviation of x, and where the bend is.
  struct Bend {
    var logSteepness: Double
    var place: Double
  }

  /// Pearson's correlation of the fitted predictions with the ground truth.
  ///
  /// - Returns: Nil for fewer pairs than parameters, constant lists, or a fit that diverges.
  package static func correlation(
    _ predicted: [Double], _ truth: [Double], curve: Curve
  ) -> Double? {
    guard predicted.count > (curve == .fourParameters ? 4 : 5), !isConstant(predicted),
      !isConstant(truth)
    else { return nil }
    let (x, y) = (standardized(predicted), standardized(truth))
    guard (x + y).allSatisfy(\.isFinite) else { return nil }
    let state = best(x, y, curve)
    guard let weights = state.weights else { return nil }
    let steepness = exp(state.bend.logSteepness)
    let fitted = x.map { x in
      let s = 1 / (1 + exp(-steepness * (x - state.bend.place)))
      return weights[0] * s + weights[1] + weights[2] * x
    }
    guard fitted.allSatisfy(\.isFinite) else { return nil }
    return Correlation.pearson(fitted, truth)
  }

  private static func standardized(_ values: [Double]) -> [Double] {
    let center = mean(values)
    let deviation = populationDeviation(values)
    return values.map { ($0 - center) / deviation }
  }

  /// The least-squares fit.
  ///
  /// The customary starts are bad ones: b2 = 0 of the five-parameter curve is a straight line,
  /// where solvers stay or go where rounding pushes them, and from VQEG's the way may lead to a
  /// straight line, too. Here the starts are the best of a grid, found on a sample.
  private static func best(_ x: [Double], _ y: [Double], _ curve: Curve) -> State {
    let places = stride(from: 0, to: x.count, by: max(1, x.count / 2000))
    let (fewX, fewY) = (places.map { x[$0] }, places.map { y[$0] })
    let sorted = fewX.sorted()
    var starts: [State] = []
    for steepness in [0.3, 1, 4, 10, 30] {
      for share in [0.02, 0.1, 0.25, 0.5, 0.75, 0.9, 0.98] {
        let bend = Bend(logSteepness: log(steepness), place: BCa.quantile(sorted, share))
        starts.append(State(fewX, fewY, bend, curve))
      }
    }
    starts.sort { $0.cost < $1.cost }
    // Neighbours on the grid lead to the same valley; on the sample that costs little.
    let valleys = starts.prefix(8).map { descend(fewX, fewY, from: $0.bend, curve) }
      .sorted { $0.cost < $1.cost }
    var leading: [State] = []
    for valley in valleys where leading.count < 2 {
      let isNew = leading.allSatisfy { abs($0.cost - valley.cost) > 1e-6 * valley.cost }
      if isNew { leading.append(valley) }
    }
    let ends = leading.map { descend(x, y, from: $0.bend, curve) }
    return ends.min { $0.cost < $1.cost } ?? descend(x, y, from: starts[0].bend, curve)
  }

  /// Levenberg and Marquardt over the bend, until steps gain nothing.
  private static func descend(
    _ x: [Double], _ y: [Double], from start: Bend, _ curve: Curve
  ) -> State {
    var state = State(x, y, start, curve)
    var damping = 1e-3
    var idle = 0
    for _ in 0..<200 {
      let (a, b, c) = (state.curvature[0] * (1 + damping), state.curvature[1], state.curvature[2])
      let d = c * (1 + damping)
      let determinant = a * d - b * b
      guard determinant > 0, damping < 1e12 else { break }
      let step = (
        (d * state.slope[0] - b * state.slope[1]) / determinant,
        (a * state.slope[1] - b * state.slope[0]) / determinant
      )
      // Far away a bend is an exponential, and farther still it underflows.
      let steepness = min(max(state.bend.logSteepness + step.0, -8), 8)
      let farthest = 300 / exp(steepness)
      let place = min(max(state.bend.place + step.1, -farthest), farthest)
      let next = State(x, y, Bend(logSteepness: steepness, place: place), curve)
      guard next.cost <= state.cost else {
        damping *= 10
        continue
      }
      idle = state.cost - next.cost <= 1e-13 * state.cost ? idle + 1 : 0
      state = next
      damping = max(damping / 10, 1e-12)
      if idle == 2 { break }
    }
    return state
  }

  /// The best curve with one bend, and how the sum of squares changes with the bend.
  private struct State {
    let bend: Bend
    /// Of s, 1 and x; nil where s does not bend within the pictures.
    private(set) var weights: [Double]?
    /// The sum of squares, infinite without weights.
    private(set) var cost = Double.infinity
    /// −1/2 times its derivatives with respect to logSteepness and place.
    private(set) var slope = [0.0, 0.0]
    /// The approximate second derivatives: twice by the first, mixed, twice by the second.
    private(set) var curvature = [0.0, 0.0, 0.0]

    /// What 1 and x explain is taken away from s, its derivatives and y one by one before they are
    /// multiplied: a slight bend is nearly a line, and products would have lost it.
    ///
    /// - Parameters:
    ///   - x: With mean 0 and variance 1.
    ///   - y: Likewise.
    ///   - bend: Where, and how steep.
    ///   - curve: Whether x is in the combination.
    init(_ x: [Double], _ y: [Double], _ bend: Bend, _ curve: Curve) {
      self.bend = bend
      let count = Double(x.count)
      let hasLine = curve == .fiveParameters
      var means = [0.0, 0.0, 0.0]
      var lines = [0.0, 0.0, 0.0, 0.0]
      var size = 0.0
      for i in x.indices {
        let (s, a, b) = Self.columns(x[i], bend)
        means[0] += s / count
        means[1] += a / count
        means[2] += b / count
        size += s * s
        guard hasLine else { continue }
        lines[0] += s * x[i] / count
        lines[1] += a * x[i] / count
        lines[2] += b * x[i] / count
        lines[3] += y[i] * x[i] / count
      }
      var (ss, sa, sb, sy) = (0.0, 0.0, 0.0, 0.0)
      var (aa, ab, ay, bb, by, yy) = (0.0, 0.0, 0.0, 0.0, 0.0, 0.0)
      for i in x.indices {
        var (s, a, b) = Self.columns(x[i], bend)
        s -= means[0] + lines[0] * x[i]
        a -= means[1] + lines[1] * x[i]
        b -= means[2] + lines[2] * x[i]
        let rest = y[i] - lines[3] * x[i]
        ss += s * s
        sa += s * a
        sb += s * b
        sy += s * rest
        aa += a * a
        ab += a * b
        ay += a * rest
        bb += b * b
        by += b * rest
        yy += rest * rest
      }
      guard ss > 1e-26 * size, ss.isFinite else { return }
      let height = sy / ss
      let line = lines[3] - height * lines[0]
      weights = [height, -height * means[0], line]
      cost = max(yy - height * sy, 0)
      slope = [height * (ay - height * sa), height * (by - height * sb)]
      curvature = [aa - sa * sa / ss, ab - sa * sb / ss, bb - sb * sb / ss].map {
        height * height * $0
      }
    }

    /// s and its derivatives with respect to logSteepness and place.
    private static func columns(_ x: Double, _ bend: Bend) -> (Double, Double, Double) {
      let steepness = exp(bend.logSteepness)
      let gap = x - bend.place
      let s = 1 / (1 + exp(-steepness * gap))
      let slope = s * (1 - s) * steepness
      return (s, slope * gap, -slope)
    }
  }
}
