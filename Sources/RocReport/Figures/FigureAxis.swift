import RocNames
import RocScore

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// One axis of a plot: its ends and round ticks between them.
struct FigureAxis: Sendable {
  /// How values become places and ticks become text.
  private enum Scale {
    case linear
    case steps
    case logarithmic
  }

  let low: Double
  let high: Double
  let ticks: [Double]
  private let decimals: Int
  private var scale = Scale.linear

  /// An axis from round number to round number around some values.
  ///
  /// - Parameters:
  ///   - values: What it must show; 0 to 1 without any.
  ///   - count: About how many ticks.
  init(covering values: [Double], count: Int = 5) {
    let finite = values.filter(\.isFinite)
    var low = finite.min() ?? 0
    var high = finite.max() ?? 1
    if low == high {
      // Half is nothing beside a loss of 1e20.
      let half = max(0.5, abs(low) / 1000)
      low -= half
      high += half
    }
    let step = Self.roundStep((high - low) / Double(max(count, 1)))
    let first = (low / step).rounded(.down)
    let last = (high / step).rounded(.up)
    self.low = first * step
    self.high = last * step
    ticks = (0...Int(last - first)).map { (first + Double($0)) * step }
    decimals = step >= 1 ? 0 : step >= 0.1 ? 1 : step >= 0.01 ? 2 : step >= 0.001 ? 3 : 6
  }

  /// An axis of training steps, from zero unless all are far from it.
  init(steps: [Double]) {
    let (first, last) = (steps.min() ?? 0, steps.max() ?? 1)
    self.init(covering: first < last / 2 ? [0, last] : [first, last])
    scale = .steps
  }

  /// An axis of powers of ten, or of 1, 2 and 5 times them where there are few.
  ///
  /// - Parameter values: What it must show; those that are not above zero are left out.
  init(logarithmic values: [Double]) {
    let positive = values.filter { $0.isFinite && $0 > 0 }
    let smallest = positive.min() ?? 0.1
    let largest = positive.max() ?? 1
    let first = Int(log10(smallest).rounded(.down))
    let last = max(Int(log10(largest).rounded(.up)), first + 1)
    if last - first <= 2 {
      let marks = (first...last).flatMap { power in
        [1.0, 2, 5].map { $0 * pow(10, Double(power)) }
      }
      let from = marks.lastIndex { $0 <= smallest } ?? 0
      let to = marks.indices.first { marks[$0] >= largest && $0 > from } ?? marks.count - 1
      ticks = Array(marks[from...to])
    } else {
      let step = (last - first + 5) / 6
      ticks = stride(from: first, through: last, by: step).map { pow(10, Double($0)) }
    }
    low = ticks[0]
    high = last - first <= 2 ? ticks[ticks.count - 1] : pow(10, Double(last))
    decimals = 0
    scale = .logarithmic
  }

  /// 1, 2 or 5 times a power of ten, not below `step`.
  private static func roundStep(_ step: Double) -> Double {
    var power = 1.0
    while power > step { power /= 10 }
    while power * 10 <= step { power *= 10 }
    return power * ([1.0, 2, 5, 10].first { $0 * power >= step * (1 - 1e-9) } ?? 10)
  }

  /// Where a value lies, from 0 at the low end to 1 at the high one.
  func place(_ value: Double) -> Double {
    scale == .logarithmic ? log(value / low) / log(high / low) : (value - low) / (high - low)
  }

  func label(_ tick: Double) -> String {
    switch scale {
    case .linear:
      let text = fixed(tick, decimals)
      return Double(text) == 0 ? fixed(0, decimals) : text
    case .steps:
      // The label at the end of the axis has room for three digits.
      if high >= 1e6 { return tick == 0 ? "0" : "\(ScoreRange.short(round(tick / 1e3) / 1e3))M" }
      if high >= 1e3 { return tick == 0 ? "0" : "\(ScoreRange.short(round(tick) / 1e3))k" }
      return fixed(tick, decimals)
    case .logarithmic:
      let power = Int(log10(tick * 1.001).rounded(.down))
      guard (-3...4).contains(power) else {
        return "\(Int((tick / pow(10, Double(power))).rounded()))e\(power)"
      }
      return fixed(tick, max(-power, 0))
    }
  }
}

/// A plot's frame: SVG elements in the coordinates of the data.
struct FigureCanvas {
  static let width = 460.0
  static let height = 340.0
  private static let left = 58.0
  private static let right = 14.0
  private static let top = 14.0
  private static let bottom = 46.0

  let x: FigureAxis
  let y: FigureAxis
  private(set) var body = ""

  init(x: FigureAxis, y: FigureAxis, xTitle: String, yTitle: String, showsXTicks: Bool = true) {
    self.x = x
    self.y = y
    let (left, bottom) = (px(x.low), py(y.low))
    for tick in y.ticks {
      add(
        "<line class=\"g\" x1=\"\(n(left))\" x2=\"\(n(px(x.high)))\" y1=\"\(n(py(tick)))\" y2=\"\(n(py(tick)))\"/>"
      )
      add(
        "<text class=\"s\" text-anchor=\"end\" x=\"\(n(left - 8))\" y=\"\(n(py(tick) + 4))\">\(y.label(tick))</text>"
      )
    }
    if showsXTicks {
      for tick in x.ticks {
        add(
          "<line class=\"g\" x1=\"\(n(px(tick)))\" x2=\"\(n(px(tick)))\" y1=\"\(n(bottom))\" y2=\"\(n(py(y.high)))\"/>"
        )
        add(
          "<text class=\"s\" text-anchor=\"middle\" x=\"\(n(px(tick)))\" y=\"\(n(bottom + 18))\">\(x.label(tick))</text>"
        )
      }
    }
    add(
      "<line class=\"a\" x1=\"\(n(left))\" x2=\"\(n(px(x.high)))\" y1=\"\(n(bottom))\" y2=\"\(n(bottom))\"/>"
    )
    add(
      "<text class=\"t\" text-anchor=\"middle\" x=\"\(n((left + px(x.high)) / 2))\" y=\"\(n(Self.height - 8))\">\(Escaped.xml(xTitle))</text>"
    )
    let middle = n((bottom + py(y.high)) / 2)
    add(
      "<text class=\"t\" text-anchor=\"middle\" transform=\"rotate(-90 14 \(middle))\" x=\"14\" y=\"\(middle)\">\(Escaped.xml(yTitle))</text>"
    )
  }

  func px(_ value: Double) -> Double {
    Self.left + (Self.width - Self.left - Self.right) * x.place(value)
  }

  func py(_ value: Double) -> Double {
    Self.height - Self.bottom - (Self.height - Self.top - Self.bottom) * y.place(value)
  }

  /// A number with two decimals.
  func n(_ value: Double) -> String { fixed(value, 2) }

  mutating func add(_ element: String) { body += element + "\n" }

  mutating func circle(
    _ x: Double, _ y: Double, radius: Double, _ style: String, _ title: String = ""
  ) {
    let hint = title.isEmpty ? "/>" : "><title>\(Escaped.xml(title))</title></circle>"
    add(
      "<circle class=\"\(style)\" cx=\"\(n(px(x)))\" cy=\"\(n(py(y)))\" r=\"\(n(radius))\"\(hint)")
  }

  mutating func line(_ points: [(Double, Double)], _ style: String) {
    let text = points.map { "\(n(px($0.0))),\(n(py($0.1)))" }.joined(separator: " ")
    add("<polyline class=\"\(style)\" points=\"\(text)\"/>")
  }

  /// A bar between two values of x, from the axis to `height`.
  mutating func bar(_ low: Double, _ high: Double, height: Double, _ style: String, _ title: String)
  {
    let zero = max(y.low, min(0, y.high))
    let top = min(py(height), py(zero))
    add(
      """
      <rect class="\(style)" x="\(n(px(low)))" y="\(n(top))" width="\(n(max(px(high) - px(low), 0.5)))" \
      height="\(n(max(abs(py(height) - py(zero)), 0.5)))"><title>\(Escaped.xml(title))</title></rect>
      """)
  }

  /// A legend in the upper corner.
  mutating func legend(_ entries: [(style: String, text: String)], atLeft: Bool = true) {
    for (place, entry) in entries.enumerated() {
      let top = Self.top + 8 + Double(place) * 18
      let left = atLeft ? Self.left + 12 : Self.width - 150
      add(
        "<rect class=\"\(entry.style)\" x=\"\(n(left))\" y=\"\(n(top))\" width=\"12\" height=\"12\" rx=\"2\"/>"
      )
      add(
        "<text class=\"t\" x=\"\(n(left + 18))\" y=\"\(n(top + 10))\">\(Escaped.xml(entry.text))</text>"
      )
    }
  }

  /// Colours of curves; `k0` to `k5` in the style.
  static let curveColors = 6

  private static func curveStyle(_ place: Int) -> String {
    "k k\(place % curveColors)\(place < curveColors ? "" : " kd")"
  }

  /// One of several lines in the colour of its place; a faint one is the background of another.
  mutating func curve(_ points: [(Double, Double)], _ place: Int, isFaint: Bool = false) {
    line(points, Self.curveStyle(place) + (isFaint ? " kf" : ""))
  }

  /// A legend below the plot, since several curves leave no corner free.
  ///
  /// - Parameter names: In the order of the curves' places.
  /// - Returns: The height of the picture with it.
  mutating func curveLegend(_ names: [String]) -> Double {
    var (left, baseline) = (Self.left, Self.height + 12)
    for (place, name) in names.enumerated() {
      // Nothing here measures type; its letters are 7 wide on average.
      let width = 34 + 7 * Double(name.count)
      if left > Self.left, left + width > Self.width {
        left = Self.left
        baseline += 18
      }
      add(
        "<line class=\"\(Self.curveStyle(place))\" x1=\"\(n(left))\" x2=\"\(n(left + 16))\" y1=\"\(n(baseline - 4))\" y2=\"\(n(baseline - 4))\"/>"
      )
      add(
        "<text class=\"t\" x=\"\(n(left + 21))\" y=\"\(n(baseline))\">\(Escaped.xml(name))</text>"
      )
      left += width
    }
    return baseline + 10
  }

  /// The colours, for light and dark.
  static let style = """
    .fig text{font:12px system-ui,sans-serif}.fig .t{fill:#1a1f24}.fig .s{fill:#5b6570}\
    .fig .g{stroke:#e4e8ec}.fig .a{stroke:#8b959f}.fig .p{fill:#2f6db0}.fig .q{fill:#d97706}\
    .fig .po{fill:#2f6db0;fill-opacity:.45}.fig .qo{fill:#d97706;fill-opacity:.5}\
    .fig .d{fill:#2f6db0;fill-opacity:.35}.fig .l{fill:none;stroke:#c2410c;stroke-width:1.8}\
    .fig .i{fill:none;stroke:#8b959f;stroke-dasharray:4 4}.fig .e{stroke:#2f6db0;stroke-width:1.4}\
    .fig .r{fill:#2f6db0;fill-opacity:.2;stroke:#2f6db0;stroke-width:1.8}\
    .fig .k{fill:none;stroke-width:1.8;stroke-linejoin:round}.fig .kf{stroke-opacity:.3;stroke-width:1}\
    .fig .kd{stroke-dasharray:6 3}.fig .k0{stroke:#2f6db0}.fig .k1{stroke:#d97706}\
    .fig .k2{stroke:#15803d}.fig .k3{stroke:#7c3aed}.fig .k4{stroke:#be123c}.fig .k5{stroke:#0e7490}
    @media(prefers-color-scheme:dark){.fig .t{fill:#e8ecef}.fig .s{fill:#a3adb8}.fig .g{stroke:#2a3138}\
    .fig .a{stroke:#6b7580}.fig .p{fill:#6ea8e6}.fig .q{fill:#fbbf24}.fig .po{fill:#6ea8e6}\
    .fig .qo{fill:#fbbf24}.fig .d{fill:#6ea8e6}.fig .l{stroke:#fb923c}.fig .i{stroke:#6b7580}\
    .fig .e{stroke:#6ea8e6}.fig .r{fill:#6ea8e6;stroke:#6ea8e6}\
    .fig .k0{stroke:#6ea8e6}.fig .k1{stroke:#fbbf24}.fig .k2{stroke:#4ade80}.fig .k3{stroke:#c4b5fd}\
    .fig .k4{stroke:#fb7185}.fig .k5{stroke:#22d3ee}}
    """

  /// The whole picture.
  func svg(_ title: String) -> String { Self.svg(body, title) }

  static func svg(_ body: String, _ title: String, height: Double = FigureCanvas.height) -> String {
    """
    <svg class="fig" xmlns="http://www.w3.org/2000/svg" viewBox="0 0 \(fixed(width, 0)) \(fixed(height, 0))" \
    role="img" aria-label="\(Escaped.xml(title))"><style>\(style)</style>
    \(body)</svg>

    """
  }
}
