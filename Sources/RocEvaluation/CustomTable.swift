package import RocData
package import RocReport
import RocTensor
import Yams

/// A table of a user's own choice: columns of datasets and metrics, rows of published methods and
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
      file = try YAMLDecoder().decode(File.self, from: text)
    } catch {
      throw DataError("\(path): no description of a table: \(YAMLReason.text(error))")
    }
    guard !file.columns.isEmpty, !file.rows.isEmpty else {
      throw DataError("\(path): needs columns and rows")
    }
    let known = ["SRCC", "PLCC", "KRCC", "MAE", "RMSE", "ACC", "EMD"]
    for column in file.columns where !known.contains(column.metric) {
      throw DataError(
        "\(path): metric \(column.metric), expected one of \(known.joined(separator: ", "))")
    }
    for row in file.rows where (row.published == nil) == (row.run == nil) {
      throw DataError("\(path): a row needs either published or run")
    }
    guard (0...9).contains(file.decimals ?? 3) else {
      throw DataError("\(path): decimals \(file.decimals ?? 3), expected 0 to 9")
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
        // Several runs of one name are one row.
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
            value: value))
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
    var table = PaperTable(
      caption: file.caption, label: file.label ?? "tab:custom", isWide: file.wide ?? false,
      columns: keys.count + 1, lines: lines)
    table.records = records
    return table
  }
}
