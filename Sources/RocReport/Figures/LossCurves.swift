import RocNames
import RocScore

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// What a training run wrote down about one quantity: a value at each of many steps.
package struct LossCurve: Sendable {
  package let name: String
  /// Steps ascend strictly.
  package private(set) var points: [(step: Int, value: Double)] = []

  /// - Parameters:
  ///   - name: For the legend.
  ///   - points: As they were written. Where a step comes again, as after a resumed training run,
  ///     what was there from this step on is replaced, as in TensorBoard.
  package init(name: String, points: [(step: Int, value: Double)] = []) {
    self.name = name
    self.points.reserveCapacity(points.count)
    for point in points { add(step: point.step, value: point.value) }
  }

  package mutating func add(step: Int, value: Double) {
    while let last = points.last, last.step >= step { points.removeLast() }
    points.append((step, value))
  }

  /// At most `count` points that stand for all.
  ///
  /// Each is the mean step and mean value in one of `count` spans of equal length, some of which
  /// may be empty.
  ///
  /// - Parameters:
  ///   - count: How many at most.
  ///   - isShown: Which values count; a mean with others would hide that they are missing.
  /// - Returns: Steps and values.
  func thinned(to count: Int, where isShown: (Double) -> Bool) -> [(Double, Double)] {
    let shown = points.filter { isShown($0.value) }
    guard shown.count > count, let first = shown.first, let last = shown.last else {
      return shown.map { (Double($0.step), $0.value) }
    }
    let span = Double(last.step - first.step + 1)
    var result: [(Double, Double)] = []
    var rest = shown[...]
    while let start = rest.first {
      let bucket = Int(Double(start.step - first.step) / span * Double(count))
      let end = Double(first.step) + Double(bucket + 1) / Double(count) * span
      // The first is taken in any case: rounding must not leave an empty bucket.
      let members = rest.prefix { $0.step == start.step || Double($0.step) < end }
      let n = Double(members.count)
      result.append(
        (
          members.reduce(0) { $0 + Double($1.step) } / n, members.reduce(0) { $0 + $1.value } / n
        ))
      rest = rest.dropFirst(members.count)
    }
    return result
  }

  /// The exponential mean of TensorBoard's scalar charts: m ← factor · m + (1 − factor) · value from
  /// m = 0, divided by 1 − factorⁿ after n values, so that the beginning is not drawn towards zero.
  static func smoothed(_ points: [(Double, Double)], factor: Double) -> [(Double, Double)] {
    var mean = 0.0
    var weight = 1.0
    return points.map { step, value in
      mean = factor * mean + (1 - factor) * value
      weight *= factor
      return (step, mean / (1 - weight))
    }
  }
}

extension Figure {
  /// A line needs no more points on a page; a million would be tens of megabytes.
  private static let mostCurvePoints = 1000

  /// PGFPlots' names for the colours of `FigureCanvas.curveColors`.
  private static let printColors = ["blue", "orange", "green!50!black", "violet", "red", "teal"]

  /// Losses of a training run, or anything else that is written down step by step.
  ///
  /// Lines of more than 1,000 points are thinned to the mean of each of 1,000 spans first. The
  /// smoothing acts on the points that are drawn, as TensorBoard's does on its sample, so that a
  /// factor looks the same whatever the length of the training.
  ///
  /// - Parameters:
  ///   - curves: In the order of the legend; more than six repeat the colours, dashed.
  ///   - smoothing: TensorBoard's factor, from 0, which draws values as they are, to below 1.
  ///   - isLogarithmic: Whether the vertical axis is; values that are not above zero are left out.
  /// - Returns: For each curve a faint line of its values and a line of their exponential mean.
  package static func lossCurves(
    _ curves: [LossCurve], smoothing: Double = 0.6, isLogarithmic: Bool = false
  ) -> Figure {
    precondition(smoothing >= 0 && smoothing < 1, "a smoothing of \(smoothing)")
    let raw = curves.map { curve in
      curve.thinned(to: mostCurvePoints) { $0.isFinite && (!isLogarithmic || $0 > 0) }
    }
    let values = raw.flatMap { $0.map(\.1) }
    let x = FigureAxis(steps: raw.flatMap { $0.map(\.0) })
    let y = isLogarithmic ? FigureAxis(logarithmic: values) : FigureAxis(covering: values)
    var canvas = FigureCanvas(x: x, y: y, xTitle: "step", yTitle: "loss")
    var plots: [String] = []
    for (place, points) in raw.enumerated() where !points.isEmpty && smoothing > 0 {
      canvas.curve(points, place, isFaint: true)
      let color = printColors[place % printColors.count]
      plots.append(
        "\\addplot[\(color), opacity=0.3, forget plot] coordinates {\(precise(points))};")
    }
    for (place, points) in raw.enumerated() where !points.isEmpty {
      let mean = LossCurve.smoothed(points, factor: smoothing)
      canvas.curve(mean, place)
      let dashes = place < printColors.count ? "" : ", dashed"
      plots.append(
        """
        \\addplot[thick, \(printColors[place % printColors.count])\(dashes)] \
        coordinates {\(precise(mean))};
        \\addlegendentry{\(Escaped.latex(curves[place].name))}
        """)
    }
    let height = canvas.curveLegend(curves.map(\.name))
    let options = [
      "xlabel={step}", "ylabel={loss}", "no markers",
      "enlarge x limits=false", "legend columns=3", "legend cell align=left",
      "legend style={at={(0.5,-0.25)}, anchor=north, draw=none}",
    ]
    return Figure(
      name: "losses", title: "Losses", note: note(curves, smoothing, isLogarithmic),
      svg: FigureCanvas.svg(canvas.body, "Losses", height: height),
      pgfplots: Self.axis(options + (isLogarithmic ? ["ymode=log"] : []), plots))
  }

  /// The rank correlation on held-out pictures while a training run goes on.
  ///
  /// - Parameter points: After which step, the SRCC, and its 95 % interval where there is one.
  /// - Returns: A line through the points, each with its interval.
  package static func heldOutCorrelation(
    _ points: [(step: Int, srcc: Double, interval: (low: Double, high: Double)?)]
  ) -> Figure {
    let known = points.filter(\.srcc.isFinite)
    let ends = known.map { $0.interval ?? (low: $0.srcc, high: $0.srcc) }
    var canvas = FigureCanvas(
      x: FigureAxis(steps: known.map { Double($0.step) }),
      y: FigureAxis(covering: ends.flatMap { [$0.low, $0.high] } + known.map(\.srcc)),
      xTitle: "step", yTitle: "SRCC")
    canvas.line(known.map { (Double($0.step), $0.srcc) }, "l")
    var coordinates: [String] = []
    for (point, ends) in zip(known, ends) {
      let x = canvas.n(canvas.px(Double(point.step)))
      var hint = "step \(point.step): \(fixed(point.srcc, 4))"
      if point.interval != nil {
        let (low, high) = (canvas.n(canvas.py(ends.low)), canvas.n(canvas.py(ends.high)))
        canvas.add("<line class=\"e\" x1=\"\(x)\" x2=\"\(x)\" y1=\"\(low)\" y2=\"\(high)\"/>")
        hint += ", \(fixed(ends.low, 4)) to \(fixed(ends.high, 4))"
      }
      canvas.circle(Double(point.step), point.srcc, radius: 4, "p", hint)
      // Intervals of correlations are not symmetric.
      coordinates.append(
        """
        (\(point.step),\(fixed(point.srcc, 4))) += (0,\(fixed(ends.high - point.srcc, 4))) \
        -= (0,\(fixed(point.srcc - ends.low, 4)))
        """)
    }
    return Figure(
      name: "held-out", title: "Held-out pictures",
      note: "SRCC on pictures that the training does not see; bars are 95 % intervals."
        + (known.count < points.count
          ? " \(points.count - known.count) values are left out: they are not finite." : ""),
      svg: canvas.svg("SRCC on held-out pictures"),
      pgfplots: Self.axis(
        ["xlabel={step}", "ylabel={SRCC}"],
        [
          """
          \\addplot[mark=*, blue, error bars/.cd, y dir=both, y explicit] \
          coordinates {\(coordinates.joined(separator: " "))};
          """
        ]))
  }

  /// How the lines were made, and what they do not show.
  private static func note(
    _ curves: [LossCurve], _ smoothing: Double, _ isLogarithmic: Bool
  ) -> String {
    let all = curves.flatMap { $0.points.map(\.value) }
    let isThinned = curves.contains { $0.points.count > mostCurvePoints }
    var parts = [
      smoothing > 0
        ? """
        Faint: values; line: their exponential mean with factor \(ScoreRange.short(smoothing)), as \
        in TensorBoard.
        """ : "Values without smoothing."
    ]
    if isThinned { parts.append("A point is the mean of a thousandth of the steps.") }
    let infinite = all.count { !$0.isFinite }
    if infinite > 0 {
      parts.append("\(infinite) values are left out: they are not finite.")
    }
    let hidden = isLogarithmic ? all.count { $0.isFinite && $0 <= 0 } : 0
    if hidden > 0 {
      parts.append("\(hidden) values are not above zero, which the logarithmic axis cannot show.")
    }
    return parts.joined(separator: " ")
  }

  /// Coordinates with five digits, wherever the decimal point stands: losses become small.
  private static func precise(_ points: [(Double, Double)]) -> String {
    points.map { x, y in
      let digits = y == 0 ? 0 : 4 - Int(log10(abs(y)).rounded(.down))
      return "(\(fixed(x, x == x.rounded() ? 0 : 1)),\(fixed(y, min(max(digits, 0), 300))))"
    }.joined(separator: " ")
  }
}
