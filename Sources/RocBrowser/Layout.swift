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
  ///   - title: Of the page.
  ///   - place: Where it stands in the navigation.
  ///   - crumbs: The way to it.
  ///   - places: What the server can show.
  ///   - body: Its content.
  /// - Returns: The whole document.
  package static func page(
    _ title: String, at place: Place?, crumbs: [Crumb] = [], places: [Place], _ body: HTML
  ) -> HTML {
    let links = places.map { item -> HTML in
      let current: HTML = item == place ? " aria-current=\"page\"" : ""
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
      <script src="/static/roc.js" defer></script>
      </head><body>
      <a class="skip" href="#main">Skip to the content</a>
      <header class="top"><a class="brand" href="\(places.first?.address ?? "/")">roc</a>
      <nav aria-label="Main">\(links)</nav></header>
      <main id="main">\(trail)
      <h1>\(title)</h1>
      \(body)
      </main></body></html>

      """
  }

  /// A page that says why there is no other.
  package static func problem(_ status: Int, _ message: String, places: [Place]) -> HTML {
    page("\(status)", at: nil, places: places, "<p class=\"warning\">\(message)</p>")
  }
}
