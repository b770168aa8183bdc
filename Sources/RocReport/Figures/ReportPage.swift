import RocNames

/// One page about one run: metrics, figures and the worst misses, complete in itself.
package struct ReportPage: Sendable {
  /// A picture whose predicted score is far off.
  package struct Miss: Sendable {
    package let name: String
    package let predicted: String
    package let truth: String
    package let text: String
    /// A JPEG in base64; nil for a picture that can no longer be read.
    package let thumbnail: String?

    package init(name: String, predicted: String, truth: String, text: String, thumbnail: String?) {
      self.name = name
      self.predicted = predicted
      self.truth = truth
      self.text = text
      self.thumbnail = thumbnail
    }
  }

  private let title: String
  private let subtitle: String
  private let warnings: [String]
  private let metrics: [(name: String, value: String, interval: String, note: String)]
  private let facts: [(name: String, value: String)]
  private let figures: [Figure]
  private let misses: [Miss]

  /// - Parameters:
  ///   - title: The method and the split.
  ///   - subtitle: A sentence below it.
  ///   - warnings: What a reader must know before the numbers.
  ///   - metrics: Name, value, interval and how it is defined.
  ///   - facts: What the numbers depend on.
  ///   - figures: In reading order.
  ///   - misses: The worst first.
  package init(
    title: String, subtitle: String, warnings: [String],
    metrics: [(name: String, value: String, interval: String, note: String)],
    facts: [(name: String, value: String)], figures: [Figure], misses: [Miss]
  ) {
    self.title = title
    self.subtitle = subtitle
    self.warnings = warnings
    self.metrics = metrics
    self.facts = facts
    self.figures = figures
    self.misses = misses
  }

  private func e(_ text: String) -> String { Escaped.xml(text) }

  /// The page; nothing in it is loaded from the network.
  package var html: String {
    let rows = metrics.map {
      "<tr><th title=\"\(e($0.note))\">\(e($0.name))</th><td class=\"v\">\(e($0.value))</td><td>\(e($0.interval))</td><td class=\"n\">\(e($0.note))</td></tr>"
    }.joined(separator: "\n")
    let plots = figures.map {
      "<figure><figcaption><b>\(e($0.title))</b></figcaption>\n\($0.svg)<figcaption>\(e($0.note))</figcaption></figure>"
    }.joined(separator: "\n")
    let pictures = misses.map { miss in
      let image =
        miss.thumbnail.map {
          "<img alt=\"\(e(miss.name))\" src=\"data:image/jpeg;base64,\($0)\">"
        } ?? "<div class=\"none\">not readable</div>"
      return """
        <figure class="miss">\(image)<figcaption><b>\(e(miss.predicted))</b> for \(e(miss.truth))<br>\
        <span>\(e(miss.name))</span>\(miss.text.isEmpty ? "" : "<br><i>\(e(miss.text))</i>")</figcaption></figure>
        """
    }.joined(separator: "\n")
    let notes = warnings.map { "<p class=\"w\">\(e($0))</p>" }.joined(separator: "\n")
    let list = facts.map { "<dt>\(e($0.name))</dt><dd>\(e($0.value))</dd>" }.joined(separator: "\n")
    return """
      <!doctype html>
      <html lang="en"><head><meta charset="utf-8">
      <meta name="viewport" content="width=device-width, initial-scale=1">
      <title>\(e(title))</title>
      <style>
      \(Self.style)
      </style></head><body>
      <header><h1>\(e(title))</h1><p>\(e(subtitle))</p></header>
      \(notes)
      <section><h2>Metrics</h2><div class="scroll"><table>
      <tr><th>metric</th><th>value</th><th>95 % interval</th><th class="n">definition</th></tr>
      \(rows)
      </table></div></section>
      <section><h2>Figures</h2><div class="grid">
      \(plots)
      </div></section>
      \(misses.isEmpty ? "" : "<section><h2>Worst misses</h2><div class=\"misses\">\n\(pictures)\n</div></section>")
      <section><h2>What the numbers depend on</h2><dl>
      \(list)
      </dl></section>
      </body></html>

      """
  }

  private static let style = """
    :root{color-scheme:light dark;--bg:#fff;--fg:#1a1f24;--soft:#5b6570;--line:#dfe4e8;--card:#f7f9fa;--warn:#fff3e0;--warnline:#d97706}
    @media(prefers-color-scheme:dark){:root{--bg:#101418;--fg:#e8ecef;--soft:#a3adb8;--line:#2a3138;--card:#171c21;--warn:#2b2110;--warnline:#fbbf24}}
    *{box-sizing:border-box}
    body{background:var(--bg);color:var(--fg);font:16px/1.5 system-ui,sans-serif;margin:0 auto;max-width:90rem;padding:1.5rem clamp(1rem,3vw,3rem) 4rem}
    h1{font-size:clamp(1.4rem,3vw,2rem);line-height:1.2;margin:.5rem 0 .25rem;overflow-wrap:anywhere}
    header p{color:var(--soft);margin:0}
    h2{font-size:1.15rem;margin:2.25rem 0 .75rem}
    .w{background:var(--warn);border-left:4px solid var(--warnline);margin:1rem 0 0;padding:.6rem .9rem}
    .scroll{overflow-x:auto}
    table{border-collapse:collapse;min-width:20rem;width:100%}
    th,td{border-bottom:1px solid var(--line);font-weight:400;padding:.4rem .75rem .4rem 0;text-align:left;vertical-align:top;white-space:nowrap}
    tr:first-child th{color:var(--soft);font-size:.85rem}
    .v{font-variant-numeric:tabular-nums;font-weight:650}
    td{font-variant-numeric:tabular-nums}
    .n{color:var(--soft);font-size:.85rem;white-space:normal}
    .grid{display:grid;gap:1.25rem;grid-template-columns:repeat(auto-fit,minmax(min(100%,26rem),1fr))}
    figure{background:var(--card);border:1px solid var(--line);border-radius:.6rem;margin:0;padding:.9rem}
    figcaption{color:var(--soft);font-size:.88rem}
    figcaption b{color:var(--fg);font-size:.98rem}
    .grid svg{display:block;height:auto;margin:.4rem auto;max-width:38rem;width:100%}
    .misses{display:grid;gap:1rem;grid-template-columns:repeat(auto-fill,minmax(11rem,1fr))}
    .miss{padding:.5rem}
    .miss img,.none{aspect-ratio:4/3;background:var(--line);border-radius:.35rem;display:block;margin-bottom:.4rem;object-fit:contain;width:100%}
    .none{align-items:center;color:var(--soft);display:flex;justify-content:center}
    .miss span,.miss i{overflow-wrap:anywhere}
    dl{display:grid;gap:.25rem 1.5rem;grid-template-columns:max-content 1fr;margin:0}
    dt{color:var(--soft)}
    dd{margin:0;overflow-wrap:anywhere}
    @media(max-width:36rem){.n{display:none}dl{grid-template-columns:1fr;gap:0}dd{margin-bottom:.6rem}}
    """
}
