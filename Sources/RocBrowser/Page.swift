/// What is shown at an address.
package struct Page: Sendable {
  let title: String
  let place: Layout.Place?
  var crumbs: [Layout.Crumb] = []
  let body: HTML
  /// Of the files of its own that it loads beside those of every page.
  var script: String?
  /// Those that can be downloaded.
  var tables: [PageTable] = []

  init(
    _ title: String, at place: Layout.Place?, crumbs: [Layout.Crumb] = [],
    tables: [PageTable] = [], script: String? = nil, _ body: HTML
  ) {
    self.script = script
    self.title = title
    self.place = place
    self.crumbs = crumbs
    self.tables = tables
    self.body = body
  }

  /// A table of it as a file.
  ///
  /// - Parameters:
  ///   - name: The table's.
  ///   - form: `csv` or `latex`.
  /// - Returns: The file's text.
  /// - Throws: `NoSuchPage`.
  package func file(_ name: String, as form: String) throws -> String {
    guard let table = tables.first(where: { $0.name == name }) else {
      throw NoSuchPage("This page has no table \(name).")
    }
    switch form {
    case "csv": return table.csv
    case "latex": return table.latex
    default: throw NoSuchPage("Tables are written as csv and latex, not as \(form).")
    }
  }
}
