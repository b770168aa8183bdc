import RocScore

/// A plot as an SVG picture and as PGFPlots code with the same data.
package struct Figure: Sendable {
  /// The file's name without its extension.
  package let name: String
  package let title: String
  /// What it shows and how it was made.
  package let note: String
  package let svg: String
  /// A tikzpicture; needs `\usepackage{pgfplots}`.
  package let pgfplots: String

  static func axis(_ options: [String], _ body: [String]) -> String {
    """
    \\begin{tikzpicture}
    \\begin{axis}[width=8cm, height=6cm, grid=major, grid style={gray!20},
      \(options.joined(separator: ",\n  "))]
    \(body.joined(separator: "\n"))
    \\end{axis}
    \\end{tikzpicture}

    """
  }

  /// Coordinates for PGFPlots; full precision cannot be seen in print.
  static func coordinates(_ points: [(Double, Double)]) -> String {
    points.map { "(\(fixed($0.0, 4)),\(fixed($0.1, 4)))" }.joined(separator: " ")
  }
}

extension Figure {
  /// More points than this overlap: they are counted in hexagons.
  private static let mostPoints = 1500

  /// Predictions against ground truth, with the line of equality and the least-squares line.
  package static func scatter(
    predicted: [Double], truth: [Double], low: Double, high: Double
  ) -> Figure {
    let axis = FigureAxis(covering: [low, high] + truth + predicted)
    var canvas = FigureCanvas(
      x: axis, y: axis, xTitle: "ground truth", yTitle: "prediction")
    canvas.line([(axis.low, axis.low), (axis.high, axis.high)], "i")
    var plots: [String] = []
    let isDense = predicted.count > mostPoints
    if isDense {
      let cells = hexagons(truth, predicted, axis)
      let most = Double(cells.map(\.count).max() ?? 1)
      let size = (canvas.px(axis.high) - canvas.px(axis.low)) / 40
      for cell in cells {
        let radius = size * 0.62 * (0.35 + 0.65 * (Double(cell.count) / most).squareRoot())
        canvas.circle(cell.x, cell.y, radius: radius, "po", "\(cell.count) pictures")
      }
      let points = cells.map {
        "(\(fixed($0.x, 3)),\(fixed($0.y, 3))) [\(fixed((Double($0.count) / most).squareRoot(), 3))]"
      }.joined(separator: " ")
      plots.append(
        "\\addplot[scatter, only marks, mark=*, mark size=1.4pt, scatter src=explicit, colormap/blues] coordinates {\(points)};"
      )
    } else {
      let radius = predicted.count > 400 ? 2.2 : 3
      for (p, g) in zip(predicted, truth) { canvas.circle(g, p, radius: radius, "d") }
      plots.append(
        "\\addplot[only marks, mark=*, mark size=1pt, blue, opacity=0.4] coordinates {\(coordinates(Array(zip(truth, predicted))))};"
      )
    }
    if let (slope, offset) = leastSquares(truth, predicted) {
      let ends = [truth.min() ?? low, truth.max() ?? high].map { ($0, offset + slope * $0) }
      canvas.line(ends, "l")
      plots.append("\\addplot[thick, orange] coordinates {\(coordinates(ends))};")
    }
    plots.append(
      "\\addplot[dashed, gray] coordinates {\(coordinates([(axis.low, axis.low), (axis.high, axis.high)]))};"
    )
    return Figure(
      name: "scatter", title: "Prediction and ground truth",
      note: isDense
        ? "\(predicted.count) pictures counted in hexagons; dashed: equality, line: least squares."
        : "\(predicted.count) pictures; dashed: equality, line: least squares.",
      svg: canvas.svg("Prediction against ground truth"),
      pgfplots: Self.axis(
        [
          "xlabel={ground truth}", "ylabel={prediction}", "xmin=\(axis.low), xmax=\(axis.high)",
          "ymin=\(axis.low), ymax=\(axis.high)",
        ], plots))
  }

  /// Counts in a hexagonal grid of 40 columns; the centres are in the units of the data.
  private static func hexagons(
    _ x: [Double], _ y: [Double], _ axis: FigureAxis
  ) -> [(x: Double, y: Double, count: Int)] {
    let width = (axis.high - axis.low) / 40
    let height = width * 0.75.squareRoot() * 2
    var counts: [SIMD2<Int>: Int] = [:]
    for (a, b) in zip(x, y) {
      // Two rectangular grids, one shifted by half a cell; the nearer centre wins (Carr 1987).
      let first = SIMD2(Int((a / width).rounded()), Int((b / height).rounded()))
      let second = SIMD2(Int((a / width).rounded(.down)), Int((b / height).rounded(.down)))
      func distance(_ u: Double, _ v: Double) -> Double {
        (a - u * width) * (a - u * width) + (b - v * height) * (b - v * height) / 3
      }
      let isFirst =
        distance(Double(first.x), Double(first.y))
        <= distance(Double(second.x) + 0.5, Double(second.y) + 0.5)
      let key =
        isFirst
        ? SIMD2(first.x * 2, first.y * 2) : SIMD2(second.x * 2 + 1, second.y * 2 + 1)
      counts[key, default: 0] += 1
    }
    return counts.map { key, count in
      (Double(key.x) / 2 * width, Double(key.y) / 2 * height, count)
    }.sorted { ($0.x, $0.y) < ($1.x, $1.y) }
  }

  private static func leastSquares(_ x: [Double], _ y: [Double]) -> (slope: Double, offset: Double)?
  {
    guard x.count >= 2 else { return nil }
    let n = Double(x.count)
    let a = x.reduce(0, +) / n
    let b = y.reduce(0, +) / n
    let xx = x.reduce(0) { $0 + ($1 - a) * ($1 - a) }
    guard xx > 0 else { return nil }
    let xy = zip(x, y).reduce(0) { $0 + ($1.0 - a) * ($1.1 - b) }
    return (xy / xx, b - xy / xx * a)
  }

  /// How often predictions and ground truth take each value.
  package static func histograms(predicted: [Double], truth: [Double], low: Double, high: Double)
    -> Figure
  {
    let bins = 40
    func counts(_ values: [Double]) -> [Int] {
      var result = [Int](repeating: 0, count: bins)
      for value in values {
        let place = Int((value - low) / (high - low) * Double(bins))
        result[min(max(place, 0), bins - 1)] += 1
      }
      return result
    }
    let series = [counts(truth), counts(predicted)]
    let x = FigureAxis(covering: [low, high])
    let y = FigureAxis(covering: [0, Double(series.flatMap(\.self).max() ?? 1)])
    var canvas = FigureCanvas(x: x, y: y, xTitle: "score", yTitle: "pictures")
    let width = (high - low) / Double(bins)
    for (values, style) in zip(series, ["qo", "po"]) {
      for (bin, count) in values.enumerated() where count > 0 {
        let left = low + Double(bin) * width
        canvas.bar(
          left, left + width, height: Double(count), style,
          "\(fixed(left, 2)) to \(fixed(left + width, 2)): \(count)")
      }
    }
    canvas.legend([("qo", "ground truth"), ("po", "prediction")])
    let plots = zip(series, ["orange", "blue"]).map { values, color in
      let points = values.enumerated().map {
        (low + (Double($0.offset) + 0.5) * width, Double($0.element))
      }
      return
        "\\addplot[ybar interval, fill=\(color), opacity=0.4, draw=none] coordinates {\(coordinates(points + [(high + width / 2, 0)]))};"
    }
    return Figure(
      name: "histograms", title: "Scores",
      note: "A prediction that clings to the mean shows as a narrower hill.",
      svg: canvas.svg("Histograms of predictions and ground truth"),
      pgfplots: axis(
        [
          "xlabel={score}", "ylabel={pictures}", "ymin=0",
          "legend entries={ground truth,prediction}", "area legend",
        ],
        plots))
  }

  /// The mean predicted distribution beside the mean distribution of votes.
  package static func distributions(
    predicted: [Double], truth: [Double], scores: [Double]
  ) -> Figure {
    let step = scores.count > 1 ? scores[1] - scores[0] : 1
    let x = FigureAxis(
      covering: [(scores.first ?? 0) - step / 2, (scores.last ?? 1) + step / 2], count: 10)
    let y = FigureAxis(covering: [0, (predicted + truth).max() ?? 1])
    var canvas = FigureCanvas(x: x, y: y, xTitle: "rating", yTitle: "share")
    for (place, score) in scores.enumerated() {
      canvas.bar(
        score - 0.4 * step, score, height: truth[place], "q",
        "\(ScoreRange.short(score)): votes \(fixed(truth[place], 4))")
      canvas.bar(
        score, score + 0.4 * step, height: predicted[place], "p",
        "\(ScoreRange.short(score)): predicted \(fixed(predicted[place], 4))")
    }
    canvas.legend([("q", "votes"), ("p", "prediction")])
    let plots = [(truth, "orange"), (predicted, "blue")].map { values, color in
      "\\addplot[ybar, bar width=4pt, fill=\(color), draw=none] coordinates {\(coordinates(Array(zip(scores, values))))};"
    }
    return Figure(
      name: "distributions", title: "Mean vote histogram",
      note: "The mean over pictures of the predicted distribution and of the votes.",
      svg: canvas.svg("Mean vote histograms"),
      pgfplots: axis(
        [
          "xlabel={rating}", "ylabel={share}", "ymin=0", "ybar",
          "legend entries={votes,prediction}", "area legend",
        ],
        plots))
  }
}
