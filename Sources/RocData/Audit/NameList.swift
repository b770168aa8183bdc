import RocFiles
import RocJSON
package import RocTables

/// The picture names of any list: ids, names with labels, a column of a table, the names of JSON
/// records, or names that each end with a NUL byte.
package enum NameList {
  /// What columns and members with a picture's name are called.
  private static let columns = [
    "image", "img_path", "image_id", "imagefile", "image_name", "imagename", "filename",
    "file_name", "name", "path", "id", "dis_img_path",
  ]

  /// - Parameters:
  ///   - path: The file.
  ///   - part: Which list is meant where one JSON object holds several by their parts' names.
  /// - Returns: The names in the order of the file.
  /// - Throws: `DataError` when the file cannot be read or holds no names.
  package static func read(_ path: String, part: String? = nil) throws(DataError) -> [String] {
    let file = try MappedFile.ofData(path)
    let first = file.withBytes { bytes in
      bytes.first { $0 > 0x20 && ![0xEF, 0xBB, 0xBF].contains($0) }
    }
    let isJSON = first == UInt8(ascii: "[") || first == UInt8(ascii: "{")
    let names: [String]
    if let ended = try nullSeparated(file, path, isJSON: isJSON) {
      names = ended
    } else {
      names = isJSON ? try records(file, part: part) : lines(LineReader(file, name: path))
    }
    guard !names.isEmpty else { throw DataError("\(path): no picture names in it") }
    return names
  }

  /// Names as `find -print0` writes them, which may then hold line ends.
  private static func nullSeparated(
    _ file: MappedFile, _ path: String, isJSON: Bool
  ) throws(DataError) -> [String]? {
    let pieces = file.withBytes { bytes -> [String]? in
      guard bytes.contains(0) else { return nil }
      guard !isJSON, bytes.last == 0 else { return [] }
      return bytes.dropLast().split(separator: 0, omittingEmptySubsequences: false).map {
        String(decoding: $0, as: UTF8.self)
      }
    }
    guard let pieces else { return nil }
    guard !pieces.isEmpty, !pieces.contains(where: \.isEmpty) else {
      throw DataError(
        "\(path): holds zero bytes among its lines; expected a list of names, or names that each end with one"
      )
    }
    return pieces
  }

  private static func lines(_ reader: LineReader) -> [String] {
    var names: [String] = []
    var column = 0
    var isTable = false
    reader.eachLine { number, line in
      let text = String(decoding: line, as: UTF8.self).trimmingBlanks
      guard !text.isEmpty else { return }
      let fields = cells(line)
      if number == 1, let place = header(fields) {
        column = place
        isTable = fields.count > 1
        return
      }
      guard !isTable else {
        if column < fields.count, !fields[column].isEmpty { names.append(fields[column]) }
        return
      }
      names.append(name(text, fields))
    }
    return names
  }

  /// The fields of a line of CSV.
  private static func cells(_ line: UnsafeRawBufferPointer) -> [String] {
    var fields: [String] = []
    _ = DelimitedRows(.byte(UInt8(ascii: ","), isQuoted: true)).eachRow(line) {
      fields = $1
      return false
    }
    return fields
  }

  /// The place of the column with names, when a first line names columns.
  private static func header(_ fields: [String]) -> Int? {
    fields.firstIndex { columns.contains($0.trimmingBlanks.lowercased()) }
  }

  /// A line that is a name and then only numbers is a labelled name; any other line is a name as a
  /// whole, since names may hold blanks and commas.
  private static func name(_ text: String, _ fields: [String]) -> String {
    let isNumber = { (field: String) in Double(decimal: field.trimmingBlanks) != nil }
    if fields.count > 1, fields.dropFirst().allSatisfy(isNumber) { return fields[0] }
    let words = text.split { $0 == " " || $0 == "\t" }.map(String.init)
    if words.count > 1, words.dropFirst().allSatisfy(isNumber) { return words[0] }
    return fields.count == 1 ? fields[0] : text
  }

  private static func records(_ file: MappedFile, part: String?) throws(DataError) -> [String] {
    try file.withBytes { bytes throws(DataError) in
      var reader = JSONRecords(bytes, readsNonFinite: true)
      var names: [String] = []
      do throws(JSONError) {
        while let record = try reader.next() {
          if let name = record.string {
            names.append(name)
            continue
          }
          if let part, let list = record[part]?.array {
            names += list.compactMap { $0.string ?? $0.int.map(String.init) }
            continue
          }
          let member = columns.lazy.compactMap { record[$0] }.first
          if let name = member?.string ?? member?.int.map(String.init) { names.append(name) }
        }
      } catch {
        throw DataError("\(file.path): not JSON: \(error)")
      }
      return names
    }
  }
}
