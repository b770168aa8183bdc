import RocNames
import RocScore

/// Histograms side by side as one SVG picture: a panel for each series, all with the same axis, so
/// that parts can be compared by eye.
///
/// Colours follow the reader's light or dark mode; nothing is loaded from elsewhere.
package struct HistogramPlot: Sendable {
  /// One panel.
  package struct Series: Sendable {
    package let title: String
    /// How many there are in each bin.
    package let counts: [Int]
    /// A label for the middle of each bin, or, where there is one more, for the edges of the bins.
    package let labels: [String]
    /// Where a line marks the mean, from 0 at the left edge to 1 at the right one.
    package let mean: Double?
    package let note: String

    package init(title: String, counts: [Int], labels: [String], mean: Double?, note: String) {
      self.title = title
      self.counts = counts
      self.labels = labels
      self.mean = mean
      self.note = note
    }
  }

  private static let panel = (width: 420.0, height: 220.0)
  private static let margin = (left: 16.0, top: 46.0, right: 16.0, bottom: 30.0)

  private let title: String
  private let series: [Series]
  private let columns: Int

  /// - Parameters:
  ///   - title: Above all panels.
  ///   - series: The panels in reading order.
  ///   - columns: Panels side by side.
  package init(title: String, series: [Series], columns: Int = 2) {
    self.title = title
    self.series = series
    self.columns = max(1, min(columns, series.count))
  }

  /// The picture.
  package var svg: String {
    let rows = (series.count + columns - 1) / columns
    let width = Double(columns) * Self.panel.width
    let height = 40 + Double(rows) * Self.panel.height
    var text = """
      <svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 \(fixed(width, 0)) \(fixed(height, 0))" \
      width="\(fixed(width, 0))" height="\(fixed(height, 0))" role="img" aria-label="\(Escaped.xml(title))">
      <style>
      .b{fill:#fff}.t{fill:#1a1f24}.s{fill:#5b6570}.h{fill:#3b6ea8}.a{stroke:#b9c1c9}.m{stroke:#c2410c}
      text{font-family:system-ui,sans-serif;font-size:12px}
      @media(prefers-color-scheme:dark){.b{fill:#14181c}.t{fill:#e8ecef}.s{fill:#9aa5b1}.h{fill:#6ea3dc}\
      .a{stroke:#49525c}.m{stroke:#fb923c}}
      </style>
      <rect class="b" width="100%" height="100%"/>
      <text class="t" x="16" y="26" style="font-size:16px;font-weight:600">\(Escaped.xml(title))</text>

      """
    for (place, item) in series.enumerated() {
      let x = Double(place % columns) * Self.panel.width
      let y = 40 + Double(place / columns) * Self.panel.height
      text += panel(item, x: x, y: y)
    }
    return text + "</svg>\n"
  }

  private func panel(_ item: Series, x: Double, y: Double) -> String {
    let left = x + Self.margin.left
    let top = y + Self.margin.top
    let width = Self.panel.width - Self.margin.left - Self.margin.right
    let height = Self.panel.height - Self.margin.top - Self.margin.bottom
    let base = top + height
    let most = Double(max(item.counts.max() ?? 1, 1))
    let step = width / Double(max(item.counts.count, 1))
    var text = """
      <text class="t" x="\(fixed(left, 1))" y="\(fixed(y + 20, 1))" style="font-weight:600">\
      \(Escaped.xml(item.title))</text>
      <text class="s" x="\(fixed(left, 1))" y="\(fixed(y + 36, 1))">\(Escaped.xml(item.note))</text>

      """
    for (bin, count) in item.counts.enumerated() where count > 0 {
      let size = max(height * Double(count) / most, 1)
      text += """
        <rect class="h" x="\(fixed(left + step * Double(bin) + 0.5, 2))" \
        y="\(fixed(base - size, 2))" width="\(fixed(max(step - 1, 0.5), 2))" \
        height="\(fixed(size, 2))"><title>\(label(item, bin)): \(count)</title></rect>

        """
    }
    text += """
      <line class="a" x1="\(fixed(left, 1))" y1="\(fixed(base, 1))" \
      x2="\(fixed(left + width, 1))" y2="\(fixed(base, 1))"/>

      """
    if let mean = item.mean {
      let place = fixed(left + width * mean, 2)
      text += """
        <line class="m" stroke-width="1.5" stroke-dasharray="4 3" x1="\(place)" \
        y1="\(fixed(top, 1))" x2="\(place)" y2="\(fixed(base, 1))"/>

        """
    }
    return text + axis(item, left: left, base: base, width: width)
  }

  /// A label for each bin, or for each edge between bins.
  private func axis(_ item: Series, left: Double, base: Double, width: Double) -> String {
    let isEdges = item.labels.count == item.counts.count + 1
    let step = width / Double(max(item.counts.count, 1))
    let every = max(1, (item.labels.count + 11) / 12)
    var text = ""
    for (place, label) in item.labels.enumerated() where place % every == 0 {
      let x = left + step * (Double(place) + (isEdges ? 0 : 0.5))
      let isLast = isEdges && place == item.labels.count - 1
      let anchor = isEdges && place == 0 ? "start" : isLast ? "end" : "middle"
      text += """
        <text class="s" x="\(fixed(x, 1))" y="\(fixed(base + 16, 1))" text-anchor="\(anchor)">\
        \(Escaped.xml(label))</text>

        """
    }
    return text
  }

  private func label(_ item: Series, _ bin: Int) -> String {
    let isEdges = item.labels.count == item.counts.count + 1
    return Escaped.xml(
      isEdges ? "\(item.labels[bin]) to \(item.labels[bin + 1])" : item.labels[bin])
  }
}
