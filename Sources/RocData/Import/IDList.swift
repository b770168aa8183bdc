import RocTensor

/// A list of image ids, one a line.
struct IDList {
  /// Base name without extension, as in `generic_test`.
  let name: String
  private(set) var ids: [Int] = []
  /// The line of each id.
  private(set) var lines: [Int] = []
  private(set) var skipped: [SkippedLine] = []

  init(_ reader: LineReader) {
    let base = reader.name.split(separator: "/").last ?? ""
    name = String(base.split(separator: ".").first ?? base)
    var numbers: [Int] = []
    var seen: Set<Int> = []
    reader.eachLine { number, line in
      let field = splitIntegers(line, into: &numbers)
      if field == nil, numbers.isEmpty { return }
      guard field == nil, numbers.count == 1, numbers[0] > 0 else {
        skipped.append(
          SkippedLine(
            file: reader.name, line: number, reason: "expected one image id",
            content: String(decoding: line, as: UTF8.self)))
        return
      }
      if seen.insert(numbers[0]).inserted {
        ids.append(numbers[0])
        lines.append(number)
      }
    }
  }
}

/// Names of numbered things, `<number> <name>` a line, split at the first blank only.
struct VocabularyFile {
  private(set) var names: [(number: Int, name: String)] = []
  private(set) var skipped: [SkippedLine] = []

  init(_ reader: LineReader) {
    reader.eachLine { number, line in
      let text = String(decoding: line, as: UTF8.self)
      let fields = text.split(maxSplits: 1, whereSeparator: { $0 == " " || $0 == "\t" })
      if fields.isEmpty { return }
      guard fields.count == 2, let id = Int(fields[0]) else {
        skipped.append(
          SkippedLine(
            file: reader.name, line: number, reason: "expected a number and a name",
            content: text))
        return
      }
      let name = fields[1].drop { $0 == " " || $0 == "\t" }
      names.append((id, String(name.reversed().drop { $0.isWhitespace }.reversed())))
    }
  }
}
