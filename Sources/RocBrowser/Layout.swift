/// The frame of every page.
package enum Layout {
  /// The places of the navigation.
  package enum Place: String, CaseIterable, Sendable {
    case datasets = "Datasets"
    case runs = "Runs"
    case tryIt = "Try it"

    var address: String {
      switch self {
      case .datasets: "/"
      case .runs: "/runs"
      case .tryIt: "/try"
      }
    }
  }

  /// A step of the way to a page.
  package struct Crumb: Sendable {
    let title: String
    let address: String

    package init(_ title: String, _ address: String) {
      self.title = title
      self.address = address
    }
  }

  /// - Parameters:
  ///   - page: What is shown.
  ///   - places: What the server can show.
  /// - Returns: The whole document.
  package static func document(_ page: Page, places: [Place]) -> HTML {
    let (title, crumbs) = (page.title, page.crumbs)
    let script: HTML? = page.script.map { "\n<script src=\"/static/\($0)\" defer></script>" }
    let links = places.map { item -> HTML in
      let current: HTML = item == page.place ? " aria-current=\"page\"" : ""
      return "<a href=\"\(item.address)\"\(current)>\(item.rawValue)</a>"
    }
    let way = crumbs.map { crumb -> HTML in
      "<a href=\"\(crumb.address)\">\(crumb.title)</a><span aria-hidden=\"true\">›</span>"
    }
    let trail: HTML = crumbs.isEmpty ? "" : "<nav class=\"crumbs\" aria-label=\"Way\">\(way)</nav>"
    return """
      <!doctype html>
      <html lang="en"><head><meta charset="utf-8">
      <meta name="viewport" content="width=device-width, initial-scale=1">
      <title>\(title) · roc</title>
      <link rel="stylesheet" href="/static/roc.css">
      <link rel="icon" href="/static/roc.svg">
      <script src="/static/roc.js" defer></script>\(script)
      </head><body>
      <a class="skip" href="#main">Skip to the content</a>
      <header class="top"><a class="brand" href="\(places.first?.address ?? "/")">roc</a>
      <nav aria-label="Main">\(links)</nav></header>
      <main id="main">\(trail)
      <h1>\(title)</h1>
      \(page.body)
      </main></body></html>

      """
  }

  /// A page that says why there is no other.
  package static func problem(_ status: Int, _ message: String, places: [Place]) -> HTML {
    document(Page("\(status)", at: nil, "<p class=\"warning\">\(message)</p>"), places: places)
  }
}
