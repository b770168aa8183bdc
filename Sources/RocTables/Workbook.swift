import RocArchive
import RocFiles

/// The rows of the first sheet of an Excel workbook (.xlsx, ECMA-376 part 1, section 18.3).
struct Workbook {
  /// The most bytes that one part may unpack to: sheets of label files have a few megabytes.
  private static let limit = 1 << 29
  /// Unpacked bytes for each packed one, once there are more than `slack`, as for archives.
  private static let ratio = 100
  private static let slack = 1 << 26
  /// Ten for each picture of the largest dataset, ten times over.
  private static let cellLimit = 30_000_000
  /// Bytes of a cell; Excel's own limit is 32,767 characters.
  private static let textLimit = 1 << 20
  private static let columnLimit = 16_384

  private(set) var rows: [TableRow] = []

  /// - Throws: `DataError` when the file is not a workbook.
  init(_ path: String, name: String) throws(DataError) {
    var shared: [UInt8] = []
    var unpacked = 0
    var sheets: [(name: String, bytes: [UInt8])] = []
    do throws(ArchiveError) {
      let archive = try ArchiveReader([path])
      while let entry = try archive.next() {
        let isSheet =
          entry.path.hasPrefix("xl/worksheets/sheet") && entry.path.hasSuffix(".xml")
        guard isSheet || entry.path == "xl/sharedStrings.xml" else { continue }
        guard let bytes = try archive.read(limit: Self.limit) else {
          throw ArchiveError("\(path): \(entry.path) is larger than 512 MB")
        }
        unpacked += bytes.count
        let packed = FileFacts(path)?.bytes ?? 0
        guard unpacked <= Self.slack || unpacked / Self.ratio <= packed else {
          throw ArchiveError(
            """
            \(path): \(packed) bytes unpack to more than \(Self.ratio) times as many; this is no \
            sheet of labels
            """)
        }
        if isSheet { sheets.append((entry.path, bytes)) } else { shared = bytes }
      }
    } catch {
      throw DataError("\(name): not an Excel workbook: \(error)")
    }
    guard
      let sheet = sheets.min(by: { ($0.name.utf8.count, $0.name) < ($1.name.utf8.count, $1.name) })
    else { throw DataError("\(name): an Excel workbook without a sheet") }
    let strings = try Self.sharedStrings(shared, name: name)
    try read(sheet.bytes, strings, name: name)
  }

  private static func tooLong(_ name: String) -> DataError {
    DataError("\(name): a cell has more than \(textLimit) bytes of text")
  }

  private static func sharedStrings(
    _ bytes: [UInt8], name: String
  ) throws(DataError) -> [String] {
    var strings: [String] = []
    var text = ""
    var isInside = false
    var isPhonetic = false
    for token in XMLTokens(bytes) {
      switch token {
      case .open("si", _): text = ""
      case .close("si"): strings.append(text)
      case .open("rPh", _): isPhonetic = true
      case .close("rPh"): isPhonetic = false
      case .open("t", _): isInside = true
      case .close("t"): isInside = false
      case .text(let part) where isInside && !isPhonetic:
        text += part
        guard text.utf8.count <= textLimit else { throw tooLong(name) }
      default: break
      }
    }
    return strings
  }

  private mutating func read(
    _ bytes: [UInt8], _ strings: [String], name: String
  ) throws(DataError) {
    var fields: [String] = []
    var line = 0
    var column = 0
    var type = ""
    var value = ""
    var isInside = false
    var cells = 0
    for token in XMLTokens(bytes) {
      switch token {
      case .open("row", let attributes):
        let stated = attributes["r"].flatMap { Int($0) }
        line = stated.flatMap { (1...1_048_576).contains($0) ? $0 : nil } ?? line + 1
        fields = []
        column = 0
      case .close("row"):
        if fields.contains(where: { !$0.isEmpty }) {
          rows.append(TableRow(line: line, fields: fields))
        }
      case .open("c", let attributes):
        column = attributes["r"].flatMap(Self.column) ?? column
        type = attributes["t"] ?? "n"
        value = ""
      case .close("c"):
        guard column < Self.columnLimit else {
          throw DataError("\(name): row \(line) has a cell in column \(column)")
        }
        // One field too many sets the row aside; thousands of empty ones would only cost memory.
        let width = rows.first.map { $0.fields.count + 1 } ?? Self.columnLimit
        while fields.count < min(column, width) { fields.append("") }
        var text = value
        if type == "s" {
          guard let place = Int(value), strings.indices.contains(place) else {
            throw DataError("\(name): row \(line) names the string \(value), which is not there")
          }
          text = strings[place]
        }
        fields.append(text.trimmingBlanks)
        column += 1
        cells += 1
        guard cells <= Self.cellLimit else {
          throw DataError("\(name): more than \(Self.cellLimit) cells; this is no sheet of labels")
        }
      case .open("v", _), .open("t", _): isInside = true
      case .close("v"), .close("t"): isInside = false
      case .text(let part) where isInside:
        value += part
        guard value.utf8.count <= Self.textLimit else { throw Self.tooLong(name) }
      default: break
      }
    }
    // A header decides how many fields a row has; later rows may leave out empty ones at the end.
    let width = rows.first?.fields.count ?? 0
    rows = rows.map { row in
      let missing = max(0, width - row.fields.count)
      return TableRow(line: row.line, fields: row.fields + Array(repeating: "", count: missing))
    }
  }

  /// The column, from 0, of a cell named like `AB12`.
  private static func column(_ cell: String) -> Int? {
    let letters = cell.utf8.prefix { $0 >= 0x41 && $0 <= 0x5A }
    guard (1...3).contains(letters.count) else { return nil }
    return letters.reduce(0) { $0 * 26 + Int($1) - 0x40 } - 1
  }
}
