import RocJSON

/// Pictures gathered from one or more tables, in the order of their first line.
struct TableSamples {
  /// What all tables together say about one picture.
  struct Entry {
    let key: String
    var score: Double?
    /// Where the score stands, for messages.
    var place = ""
    var votes: [Int]?
    var attributes: [(name: String, value: Double)] = []
    var extra: [JSON.Member] = []
  }

  private(set) var entries: [Entry] = []
  private var places: [String: Int] = [:]
  /// `scheme/part` to places in `entries`.
  private(set) var parts: [(name: String, members: [Int])] = []
  private(set) var rows = 0
  private(set) var duplicates = 0
  private(set) var skipped: [SkippedLine] = []

  /// Reads a table; `star` is what the `*` of its name stands for.
  mutating func add(_ reader: TableReader, table: Manifest.Table, star: String) {
    var seen: Set<String> = []
    for row in reader.rows {
      if table.score != nil { rows += 1 }
      do throws(DataError) {
        let entry = try entry(row, reader, table, star)
        if !seen.insert(entry.key).inserted { duplicates += 1 }
        let place = try merge(entry)
        if let part = try part(row, reader, table) { join(part, place) }
      } catch {
        skipped.append(
          SkippedLine(
            file: reader.name, line: row.line, reason: error.message,
            content: row.fields.joined(separator: ",")))
      }
    }
  }

  private func entry(
    _ row: TableReader.Row, _ reader: TableReader, _ table: Manifest.Table, _ star: String
  ) throws(DataError) -> Entry {
    guard row.fields.count == reader.header.count else {
      throw DataError("\(row.fields.count) fields, expected \(reader.header.count)")
    }
    let raw = reader.field(row, table.key) ?? ""
    let key = String(raw.map { $0 == "\\" ? "/" : $0 })
    guard !key.isEmpty else { throw DataError("\(table.key) is empty") }
    var entry = Entry(key: key, place: "\(reader.name):\(row.line)")
    if let column = table.score { entry.score = try number(row, reader, column) }
    if let votes = table.votes { entry.votes = try counts(row, reader, votes) }
    if let column = table.namedAttribute {
      entry.attributes.append((star, try number(row, reader, column)))
    }
    if let name = table.nameKept { entry.extra.append(.init(name, .string(star))) }
    var used = [table.key, table.score, table.namedAttribute].compactMap { $0 }
    for column in table.attributes ?? [] {
      used.append(column)
      // An empty cell is no measurement: some files leave attributes out for some pictures.
      guard let text = reader.field(row, column), !text.isEmpty else { continue }
      entry.attributes.append((column, try number(row, reader, column)))
    }
    for column in reader.header where !used.contains(column) {
      entry.extra.append(.init(column, .string(reader.field(row, column) ?? "")))
    }
    return entry
  }

  private func number(
    _ row: TableReader.Row, _ reader: TableReader, _ column: String
  ) throws(DataError) -> Double {
    let text = reader.field(row, column) ?? ""
    guard let value = Double(text), value.isFinite else {
      throw DataError("\(column) is \(text.isEmpty ? "empty" : "\"\(text)\""), expected a number")
    }
    return value
  }

  /// Integer counts; shares are turned into counts with the total that the file gives.
  private func counts(
    _ row: TableReader.Row, _ reader: TableReader, _ votes: Manifest.VoteColumns
  ) throws(DataError) -> [Int] {
    var values: [Double] = []
    for column in votes.columns { values.append(try number(row, reader, column)) }
    let sum = values.reduce(0, +)
    var scale = 1.0
    if let column = votes.total {
      let total = try number(row, reader, column)
      if abs(sum - 1) < 1e-6, total != 1 {
        scale = total
      } else if abs(sum - total) > 1e-6 {
        throw DataError("votes sum to \(sum), expected 1 or \(column) \(total)")
      }
    }
    var counts: [Int] = []
    for value in values {
      let count = value * scale
      guard count >= 0, count < 1e9, abs(count - count.rounded()) < 1e-4 else {
        throw DataError("\(value) of \(scale) votes is no whole count")
      }
      counts.append(Int(count.rounded()))
    }
    return counts
  }

  /// Puts what a line says beside what earlier lines said.
  private mutating func merge(_ entry: Entry) throws(DataError) -> Int {
    guard let place = places[entry.key] else {
      places[entry.key] = entries.count
      entries.append(entry)
      return entries.count - 1
    }
    if let score = entry.score {
      if let known = entries[place].score, known != score {
        throw DataError(
          "\(entry.key) has the score \(score) here and \(known) in \(entries[place].place)")
      }
      entries[place].score = score
      entries[place].place = entry.place
    }
    if let votes = entry.votes { entries[place].votes = votes }
    for attribute in entry.attributes
    where !entries[place].attributes.contains(where: { $0.name == attribute.name }) {
      entries[place].attributes.append(attribute)
    }
    for member in entry.extra
    where !entries[place].extra.contains(where: { $0.name == member.name }) {
      entries[place].extra.append(member)
    }
    return place
  }

  private func part(
    _ row: TableReader.Row, _ reader: TableReader, _ table: Manifest.Table
  ) throws(DataError) -> String? {
    guard let rule = table.partColumn else { return table.part }
    let value = reader.field(row, rule.column) ?? ""
    guard let part = rule.values[value] else {
      let known = rule.values.keys.sorted().joined(separator: ", ")
      throw DataError("\(rule.column) is \"\(value)\", expected one of \(known)")
    }
    return "\(rule.scheme)/\(part)"
  }

  private mutating func join(_ part: String, _ place: Int) {
    if let index = parts.firstIndex(where: { $0.name == part }) {
      parts[index].members.append(place)
    } else {
      parts.append((part, [place]))
    }
  }
}
