import RocData
import RocFiles
package import RocReport
package import RocTables
import Yams

/// A table of the user's own choice: columns of datasets and metrics, rows of published methods and
/// stored runs.
package struct CustomTable: Sendable {
  private struct Column: Codable {
    let dataset: String
    let metric: String
    let attribute: String?
  }

  private struct Row: Codable {
    /// A method of the paper's tables.
    let published: String?
    /// A stored run.
    let run: Int64?
    let name: String?
  }

  private struct File: Codable {
    let caption: String
    let label: String?
    let decimals: Int?
    let wide: Bool?
    let columns: [Column]
    let rows: [Row]
  }

  private let path: String
  private let file: File

  /// - Throws: `DataError` that says what is wrong with the file.
  package init(path: String) throws(DataError) {
    self.path = path
    let text: String
    do throws(FileError) {
      text = try MappedFile(path: path).text
    } catch {
      throw DataError(error.description, isMissing: error.isMissing)
    }
    do {
      try Self.checkKeys(text)
      file = try YAMLDecoder().decode(File.self, from: text)
    } catch let error as DataError {
      throw DataError("\(path): \(error.message)")
    } catch {
      throw DataError("\(path): no description of a table: \(YAMLReason.text(error))")
    }
    guard !file.columns.isEmpty, !file.rows.isEmpty else {
      throw DataError("\(path): needs columns and rows")
    }
    let known = ["SRCC", "PLCC", "KRCC", "MAE", "RMSE", "ACC", "EMD", "CIDEr"]
    for (place, column) in file.columns.enumerated() where !known.contains(column.metric) {
      throw DataError(
        """
        \(path): column \(place + 1): metric \(column.metric), expected one of \
        \(known.joined(separator: ", "))
        """)
    }
    for (place, row) in file.rows.enumerated() where (row.published == nil) == (row.run == nil) {
      throw DataError("\(path): row \(place + 1) needs either published or run")
    }
    guard (0...9).contains(file.decimals ?? 3) else {
      throw DataError("\(path): decimals \(file.decimals ?? 3), expected 0 to 9")
    }
  }

  private static let keys: [(place: String, known: Set<String>)] = [
    ("", ["caption", "label", "decimals", "wide", "columns", "rows"]),
    ("columns", ["dataset", "metric", "attribute"]), ("rows", ["published", "run", "name"]),
  ]

  /// A key that nothing reads is a typing error, which would change the table silently.
  private static func checkKeys(_ text: String) throws {
    guard let root = try Yams.compose(yaml: text)?.mapping else {
      throw DataError("a mapping was expected, with caption, columns and rows")
    }
    func check(_ mapping: Node.Mapping, _ place: String) throws(DataError) {
      let known = keys.first { $0.place == place }?.known ?? []
      for key in mapping.keys {
        guard let name = key.string, known.contains(name) else {
          throw DataError(
            """
            line \(key.mark?.line ?? 0): \(key.string ?? "?") is no key \(place.isEmpty ? "of a table" : "of \(place)"); \
            expected \(known.sorted().joined(separator: ", "))
            """)
        }
      }
    }
    try check(root, "")
    for place in ["columns", "rows"] {
      for node in root[Node(place)]?.sequence ?? [] {
        if let mapping = node.mapping { try check(mapping, place) }
      }
    }
  }

  /// What the columns hold.
  package var keys: [OwnRow.Key] {
    file.columns.map { OwnRow.Key($0.dataset, $0.metric, attribute: $0.attribute) }
  }

  /// The runs that rows name, each with its row's name.
  package var runs: [(number: Int64, name: String)] {
    file.rows.compactMap { row in row.run.map { ($0, row.name ?? "run \($0)") } }
  }

  /// The table.
  ///
  /// - Parameter own: The rows of `runs`.
  /// - Returns: Groups of columns by dataset, with their metrics below.
  /// - Throws: `DataError` for a published method that no table has.
  package func table(own: [OwnRow]) throws(DataError) -> PaperTable {
    var groups: [(dataset: String, span: Int)] = []
    for key in keys {
      if groups.last?.dataset == key.dataset {
        groups[groups.count - 1].span += 1
      } else {
        groups.append((key.dataset, 1))
      }
    }
    var lines: [PaperTable.Line] = [
      .header(
        [.init(.text("Method"))]
          + groups.map { .init(.text($0.dataset), span: $0.span, isUnderlined: true) }),
      .header(
        [.init(.empty)]
          + keys.map { key in
            let isError = ["MAE", "RMSE", "EMD"].contains(key.metric)
            return .init(
              .metric(
                key.attribute.map { "\(key.metric) \($0) " } ?? "\(key.metric) ",
                higherIsBetter: !isError))
          }),
    ]
    var records: [PaperRecord] = []
    var shown: Set<String> = []
    for row in file.rows {
      let title: String
      var values: [OwnRow.Key: Double] = [:]
      var marks: [OwnRow.Key: String] = [:]
      if let method = row.published {
        let found = PublishedResults.all.filter { $0.method == method }
        guard let first = found.first else {
          throw DataError("\(path): no table of the paper has a method \(method)")
        }
        title = row.name ?? "\(method) (\(first.venue) \(first.year))"
        for item in found where item.block == nil {
          let key = OwnRow.Key(item.dataset, item.metric, attribute: item.attribute)
          values[key] = values[key] ?? item.value
        }
      } else {
        title = row.name ?? "run \(row.run ?? 0)"
        // Several runs with one name are one row.
        guard shown.insert(title).inserted else { continue }
        let mine = own.first { $0.name == title }
        values = mine?.values ?? [:]
        marks = mine?.marks ?? [:]
      }
      let cells = keys.map { key -> PaperTable.Cell in
        guard let value = values[key] else { return .init(.missing) }
        records.append(
          PaperRecord(
            method: title, venue: row.published == nil ? "own" : "published",
            dataset: key.dataset, metric: key.metric, attribute: key.attribute ?? "", task: "",
            value: value, marks: marks[key] ?? ""))
        let isError = ["MAE", "RMSE", "EMD"].contains(key.metric)
        return .init(
          .value(
            .init(
              value, decimals: file.decimals ?? 3,
              contest: .init(
                "\(key.dataset) \(key.metric) \(key.attribute ?? "")", higherIsBetter: !isError),
              marks: marks[key] ?? "")))
      }
      lines.append(.row([.init(.text(title))] + cells))
    }
    for (place, key) in keys.enumerated() {
      let hasValue = records.contains {
        $0.dataset == key.dataset && $0.metric == key.metric
          && $0.attribute == key.attribute ?? ""
      }
      guard !hasValue else { continue }
      let known = Set(PublishedResults.all.map(\.dataset))
        .union(own.flatMap { $0.values.keys.map(\.dataset) })
      throw DataError(
        """
        \(path): column \(place + 1): no row has a \(key.metric) on \(key.dataset)\
        \(key.attribute.map { " for \($0)" } ?? ""); the datasets are \
        \(known.sorted().joined(separator: ", "))
        """)
    }
    var table = PaperTable(
      caption: file.caption, label: file.label ?? "tab:custom",
      isWide: file.wide ?? (keys.count > 5),
      columns: keys.count + 1, lines: lines)
    table.records = records
    return table
  }
}
