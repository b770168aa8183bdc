import RocJSON
import RocTables

/// The numbers of cells.
extension TableSamples {
  /// What tables write where they have no number: what pandas takes for missing, in any letter
  /// case.
  ///
  /// https://pandas.pydata.org/docs/reference/api/pandas.read_csv.html, `na_values`
  static func isEmpty(_ text: String) -> Bool {
    text.isEmpty || emptyTexts.contains(text.lowercased())
  }

  static let emptyTexts: Set<String> = [
    "nan", "-nan", "na", "n/a", "<na>", "null", "none", "#n/a", "#n/a n/a", "#na", "1.#ind",
    "-1.#ind", "1.#qnan", "-1.#qnan",
  ]

  static func numbers(
    _ text: String, _ column: String, hasComma: Bool
  ) throws(DataError) -> [Double] {
    func refuse() -> DataError {
      DataError("\(column) is \(text.isEmpty ? "empty" : "\"\(text)\""), expected a number")
    }
    if text.utf8.first == UInt8(ascii: "[") {
      let list = (try? JSON.parse(text))?.array ?? []
      // Label Studio writes `[{"rating": 4}]`.
      let only = list.count == 1 ? list[0].members : nil
      let values =
        (only?.count == 1 ? only?.compactMap(\.value.double) : nil) ?? list.compactMap(\.double)
      guard !values.isEmpty, values.count == list.count else { throw refuse() }
      return values
    }
    guard let value = number(text, hasComma: hasComma) else { throw refuse() }
    return [value]
  }

  /// A number; `1,5` is one where commas are not separators, and `1,234.5` never is.
  static func number(_ text: String, hasComma: Bool) -> Double? {
    if let value = Double(decimal: text) { return value }
    guard hasComma, text.utf8.count(where: { $0 == UInt8(ascii: ",") }) == 1,
      !text.utf8.contains(UInt8(ascii: "."))
    else { return nil }
    return Double(decimal: text.replacing(",", with: "."))
  }

  static func number(
    _ row: TableRow, _ reader: TableReader, _ column: String
  ) throws(DataError) -> Double {
    try numbers(
      reader.field(row, column) ?? "", column, hasComma: reader.allowsDecimalComma)[0]
  }
}
