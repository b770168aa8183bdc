import RocNames
import RocScore

/// A mean with its 95 % interval, for one group of pictures.
package struct GroupMean: Sendable, Equatable {
  package let name: String
  package let mean: Double
  package let low: Double
  package let high: Double
  package let count: Int

  package init(name: String, mean: Double, low: Double, high: Double, count: Int) {
    self.name = name
    self.mean = mean
    self.low = low
    self.high = high
    self.count = count
  }
}

extension Figure {
  /// Whether pictures with a prediction of 6 have a mean ground truth of 6.
  ///
  /// - Parameters:
  ///   - groups: Tenths of the pictures by their prediction: its mean, and the mean ground truth with
  ///     its interval.
  ///   - low: The lowest score of the scale.
  ///   - high: The highest.
  /// - Returns: A point with its interval for each group.
  package static func calibration(
    _ groups: [(predicted: Double, truth: GroupMean)], low: Double, high: Double
  ) -> Figure {
    let values = groups.flatMap { [$0.predicted, $0.truth.low, $0.truth.high] }
    let axis = FigureAxis(covering: values.isEmpty ? [low, high] : values)
    var canvas = FigureCanvas(
      x: axis, y: axis, xTitle: "mean prediction", yTitle: "mean ground truth")
    canvas.line([(axis.low, axis.low), (axis.high, axis.high)], "i")
    for group in groups {
      let x = canvas.n(canvas.px(group.predicted))
      canvas.add(
        "<line class=\"e\" x1=\"\(x)\" x2=\"\(x)\" y1=\"\(canvas.n(canvas.py(group.truth.low)))\" y2=\"\(canvas.n(canvas.py(group.truth.high)))\"/>"
      )
      canvas.circle(
        group.predicted, group.truth.mean, radius: 4, "p",
        "\(group.truth.count) pictures: prediction \(fixed(group.predicted, 3)), ground truth \(fixed(group.truth.mean, 3))"
      )
    }
    let points = groups.map {
      "(\(fixed($0.predicted, 4)),\(fixed($0.truth.mean, 4))) +- (0,\(fixed(($0.truth.high - $0.truth.low) / 2, 4)))"
    }.joined(separator: " ")
    return Figure(
      name: "calibration", title: "Calibration",
      note: "Tenths of the pictures by their prediction; bars are 95 % intervals of the mean.",
      svg: canvas.svg("Calibration"),
      pgfplots: Self.axis(
        ["xlabel={mean prediction}", "ylabel={mean ground truth}"],
        [
          "\\addplot[dashed, gray] coordinates {\(coordinates([(axis.low, axis.low), (axis.high, axis.high)]))};",
          "\\addplot[only marks, mark=*, blue, error bars/.cd, y dir=both, y explicit] coordinates {\(points)};",
        ]))
  }

  /// Mean residuals (prediction minus ground truth) of groups, as points with horizontal bars.
  package static func residuals(_ groups: [GroupMean], by what: String, note: String) -> Figure {
    let values: [Double] = groups.flatMap { [$0.low, $0.high] } + [0.0]
    let axis = FigureAxis(covering: values, count: 6)
    let left = 150.0
    let right = FigureCanvas.width - 16
    func x(_ value: Double) -> String { fixed(left + (right - left) * axis.place(value), 2) }
    let rowHeight = min(22, (FigureCanvas.height - 64) / Double(max(groups.count, 1)))
    var body = ""
    let bottom = 16 + rowHeight * Double(groups.count)
    for tick in axis.ticks {
      body +=
        "<line class=\"g\" x1=\"\(x(tick))\" x2=\"\(x(tick))\" y1=\"10\" y2=\"\(fixed(bottom, 1))\"/>\n"
      body +=
        "<text class=\"s\" text-anchor=\"middle\" x=\"\(x(tick))\" y=\"\(fixed(bottom + 18, 1))\">\(axis.label(tick))</text>\n"
    }
    body +=
      "<line class=\"a\" x1=\"\(x(0))\" x2=\"\(x(0))\" y1=\"10\" y2=\"\(fixed(bottom, 1))\"/>\n"
    for (place, group) in groups.enumerated() {
      let y = 16 + rowHeight * (Double(place) + 0.5)
      let name = group.name.count > 20 ? "\(group.name.prefix(19))…" : group.name
      body +=
        "<text class=\"t\" text-anchor=\"end\" x=\"\(fixed(left - 8, 0))\" y=\"\(fixed(y + 4, 1))\">\(Escaped.xml(name))</text>\n"
      body +=
        "<line class=\"e\" x1=\"\(x(group.low))\" x2=\"\(x(group.high))\" y1=\"\(fixed(y, 1))\" y2=\"\(fixed(y, 1))\"/>\n"
      body +=
        "<circle class=\"p\" cx=\"\(x(group.mean))\" cy=\"\(fixed(y, 1))\" r=\"4\"><title>\(Escaped.xml(group.name)): \(fixed(group.mean, 3)), \(group.count) pictures</title></circle>\n"
    }
    body +=
      "<text class=\"t\" text-anchor=\"middle\" x=\"\(fixed((left + right) / 2, 0))\" y=\"\(fixed(bottom + 38, 1))\">mean of prediction minus ground truth</text>\n"
    let labels = groups.map { "{\(Escaped.latex($0.name))}" }.joined(separator: ",")
    let points = groups.enumerated().map {
      "(\(fixed($0.element.mean, 4)),\($0.offset)) +- (\(fixed(($0.element.high - $0.element.low) / 2, 4)),0)"
    }.joined(separator: " ")
    return Figure(
      name: "residuals-by-\(what)", title: "Residuals by \(what)", note: note,
      svg: FigureCanvas.svg(body, "Residuals by \(what)", height: bottom + 48),
      pgfplots: Self.axis(
        [
          "xlabel={prediction minus ground truth}", "ytick={0,...,\(max(groups.count - 1, 0))}",
          "yticklabels={\(labels)}", "y dir=reverse",
        ],
        [
          "\\addplot[only marks, mark=*, blue, error bars/.cd, x dir=both, x explicit] coordinates {\(points)};"
        ]))
  }

  /// How large errors are where raters agree and where they do not.
  ///
  /// - Parameter groups: Tenths of the pictures by the entropy of their votes: its mean in bits, and
  ///   the mean absolute error with its interval.
  /// - Returns: A point with its interval for each group.
  package static func entropy(_ groups: [(entropy: Double, error: GroupMean)]) -> Figure {
    let x = FigureAxis(covering: groups.map(\.entropy))
    let y = FigureAxis(covering: groups.flatMap { [$0.error.low, $0.error.high] } + [0])
    var canvas = FigureCanvas(
      x: x, y: y, xTitle: "entropy of the votes in bits", yTitle: "mean absolute error")
    canvas.line(groups.map { ($0.entropy, $0.error.mean) }, "l")
    for group in groups {
      let place = canvas.n(canvas.px(group.entropy))
      canvas.add(
        "<line class=\"e\" x1=\"\(place)\" x2=\"\(place)\" y1=\"\(canvas.n(canvas.py(group.error.low)))\" y2=\"\(canvas.n(canvas.py(group.error.high)))\"/>"
      )
      canvas.circle(
        group.entropy, group.error.mean, radius: 4, "p",
        "\(group.error.count) pictures: error \(fixed(group.error.mean, 3))")
    }
    return Figure(
      name: "error-by-entropy", title: "Error by disagreement",
      note: "Tenths of the pictures by the entropy of their votes; bars are 95 % intervals.",
      svg: canvas.svg("Error by entropy of votes"),
      pgfplots: Self.axis(
        ["xlabel={entropy of the votes in bits}", "ylabel={mean absolute error}", "ymin=0"],
        [
          "\\addplot[mark=*, blue] coordinates {\(coordinates(groups.map { ($0.entropy, $0.error.mean) }))};"
        ]))
  }

  /// One spoke per attribute, as in figure 1 of the paper: the rank correlation of its scores.
  ///
  /// - Parameter values: Three or more.
  /// - Returns: A polygon of the correlations.
  package static func radar(_ values: [(name: String, value: Double)]) -> Figure {
    let (cx, cy, radius) = (230.0, 172.0, 118.0)
    func point(_ place: Int, _ share: Double) -> (x: Double, y: Double) {
      let (sine, cosine) = Self.direction(place, of: values.count)
      return (cx + radius * share * sine, cy - radius * share * cosine)
    }
    func polygon(_ share: (Int) -> Double) -> String {
      values.indices.map { place in
        let p = point(place, share(place))
        return "\(fixed(p.x, 1)),\(fixed(p.y, 1))"
      }.joined(separator: " ")
    }
    var body = ""
    for ring in [0.25, 0.5, 0.75, 1] {
      body += "<polygon class=\"g\" fill=\"none\" points=\"\(polygon { _ in ring })\"/>\n"
      let p = point(0, ring)
      body +=
        "<text class=\"s\" x=\"\(fixed(p.x + 4, 1))\" y=\"\(fixed(p.y - 2, 1))\">\(ScoreRange.short(ring))</text>\n"
    }
    for (place, item) in values.enumerated() {
      let end = point(place, 1)
      body +=
        "<line class=\"g\" x1=\"\(cx)\" y1=\"\(cy)\" x2=\"\(fixed(end.x, 1))\" y2=\"\(fixed(end.y, 1))\"/>\n"
      let label = point(place, 1.13)
      let anchor = abs(label.x - cx) < 12 ? "middle" : label.x < cx ? "end" : "start"
      body +=
        "<text class=\"t\" text-anchor=\"\(anchor)\" x=\"\(fixed(label.x, 1))\" y=\"\(fixed(label.y + 4, 1))\">\(Escaped.xml(item.name)) \(fixed(item.value, 2))</text>\n"
    }
    body += "<polygon class=\"r\" points=\"\(polygon { max(values[$0].value, 0) })\"/>\n"
    let points = (values + [values[0]]).enumerated().map { place, item in
      "(\(fixed(360 * Double(place) / Double(values.count), 2)),\(fixed(max(item.value, 0), 4)))"
    }.joined(separator: " ")
    let labels = values.map { "{\(Escaped.latex($0.name))}" }.joined(separator: ",")
    let angles = values.indices.map { fixed(360 * Double($0) / Double(values.count), 2) }
      .joined(separator: ",")
    return Figure(
      name: "attributes", title: "Attributes",
      note: "SRCC of each score of the answers; a negative one is drawn at the centre.",
      svg: FigureCanvas.svg(body, "SRCC of attributes"),
      pgfplots: """
        % needs \\usepgfplotslibrary{polar}
        \\begin{tikzpicture}
        \\begin{polaraxis}[width=7cm, ymin=0, ymax=1, xtick={\(angles)}, xticklabels={\(labels)}]
        \\addplot[thick, blue, fill=blue, fill opacity=0.2] coordinates {\(points)};
        \\end{polaraxis}
        \\end{tikzpicture}

        """)
  }
}
