import RocNames
import RocStore
import RocTables

/// A list of AVA's image ids, from one of three kinds of file.
///
/// Lines are an id (`.jpgl`), `<id>.jpg <0|1>` (ILGnet), or a CSV row that begins with the id
/// (TANet, ReLIC), whose next ten columns are the counts of the ratings 1 to 10.
struct IDList {
  /// Base name without extension, such as `generic_test`; with the scheme where that says little.
  private(set) var name: String
  private let base: String
  private(set) var ids: [Int] = []
  /// The line of each id.
  private(set) var lines: [Int] = []
  /// Counts beside an id, where the file has them.
  private(set) var votes: [Int: [Int]] = [:]
  private(set) var skipped: [SetAsideLine] = []
  let file: String

  init(_ reader: LineReader, of scheme: String) {
    file = reader.name
    base = Self.base(reader.name)
    name = base
    rename(scheme)
    var seen: Set<Int> = []
    reader.eachLine { number, line in
      if let id = Self.plain(line) {
        if seen.insert(id).inserted {
          ids.append(id)
          lines.append(number)
        }
        return
      }
      let text = String(decoding: line, as: UTF8.self)
      let fields = text.split { $0 == "," || $0 == " " || $0 == "\t" }.map(String.init)
      if fields.isEmpty || (number == 1 && fields[0] == "image_id") { return }
      guard let id = Self.id(fields) else {
        skipped.append(
          SetAsideLine(
            file: reader.name, line: number, reason: "expected one image id", content: text))
        return
      }
      if seen.insert(id).inserted {
        ids.append(id)
        lines.append(number)
        let counts = fields.dropFirst().prefix(10).compactMap { Int($0) }
        if fields.count > 10, counts.count == 10 { votes[id] = counts }
      }
    }
  }

  /// Names the list after its scheme: several have a `test`.
  mutating func rename(_ scheme: String) { name = Self.name(base: base, scheme) }

  /// What the list of a file is called in a scheme.
  static func name(of file: String, scheme: String) -> String {
    name(base: base(file), scheme)
  }

  /// The file's name up to its first dot.
  private static func base(_ file: String) -> String {
    let last = PathName.base(file)
    return last.pieces(".").first { !$0.isEmpty } ?? last
  }

  private static func name(base: String, _ scheme: String) -> String {
    ["train", "val", "test"].contains(base) ? "\(scheme)_\(base)" : base
  }

  /// The number on a line of nothing but up to 15 digits.
  private static func plain(_ line: UnsafeRawBufferPointer) -> Int? {
    guard (1...15).contains(line.count) else { return nil }
    var value = 0
    for byte in line {
      guard byte >= 0x30, byte <= 0x39 else { return nil }
      value = value * 10 + Int(byte - 0x30)
    }
    return value > 0 ? value : nil
  }

  /// The id of a line; nil for a line of another form.
  private static func id(_ fields: [String]) -> Int? {
    let isNamed = fields[0].hasSuffix(".jpg")
    let isWhole =
      switch fields.count {
      case 1: true
      case 2: isNamed && (fields[1] == "0" || fields[1] == "1")
      default: fields.count > 10
      }
    let text = isNamed ? String(fields[0].dropLast(4)) : fields[0]
    guard isWhole, let id = Int(NumberedName.whole(text) ?? text), id > 0 else {
      return nil
    }
    return id
  }
}

/// Names of numbered things, `<number> <name>` a line, split at the first blank only.
struct VocabularyFile {
  private(set) var names: [(number: Int, name: String)] = []
  private(set) var skipped: [SetAsideLine] = []

  init(_ reader: LineReader) {
    reader.eachLine { number, line in
      let text = String(decoding: line, as: UTF8.self)
      let fields = text.split(maxSplits: 1, whereSeparator: { $0 == " " || $0 == "\t" })
      if fields.isEmpty { return }
      guard fields.count == 2, let id = Int(fields[0]) else {
        skipped.append(
          SetAsideLine(
            file: reader.name, line: number, reason: "expected a number and a name",
            content: text))
        return
      }
      let name = fields[1].drop { $0 == " " || $0 == "\t" }
      names.append((id, String(name.reversed().drop { $0.isWhitespace }.reversed())))
    }
  }
}
