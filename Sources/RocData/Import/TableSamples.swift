import RocJSON
import RocNames
import RocScore
import RocStore
import RocTables

/// Pictures gathered from one or more tables, in the order of their first line.
struct TableSamples {
  /// What all tables together say about one picture.
  struct Entry {
    let key: ImageKey
    var score: Double?
    /// Rows of label files that gave its score.
    var rows = 1
    /// Where the score stands, for messages.
    var place = ""
    var votes: [Int]?
    var attributes: [(name: String, value: Double)] = []
    var attributeVotes: [String: [Int]] = [:]
    var extra: [JSON.Member] = []
  }

  private(set) var entries: [Entry] = []
  private var places: [ImageKey: Int] = [:]
  /// `scheme/part` to places in `entries`.
  private(set) var parts: [(name: String, members: [Int])] = []
  private(set) var rows = 0
  private(set) var duplicates = 0
  /// Pictures whose rows were read, for the count of repeats.
  private var seen: [ExactText: Set<ImageKey>] = [:]
  private(set) var skipped: [SetAsideLine] = []
  /// Rows of pictures that the manifest leaves out, and the keys of these pictures.
  private(set) var leftOut = 0
  private let leftOutKeys: Set<ImageKey>
  private let keys: KeyRule
  private let cells: CellRules
  /// The scale of a table's scores, where only one is possible.
  private let scale: (Manifest.Table) -> ScoreRange?

  /// - Parameters:
  ///   - leftOut: Pictures that are not part of the dataset.
  ///   - keys: How the tables name pictures.
  ///   - groups: Columns that name what pictures were made from, also where they hold numbers.
  ///   - bins: Those of the votes.
  ///   - takesUnlabelled: Counts pictures without a score instead of setting their lines aside.
  ///   - scale: The scale of a table's scores; nil where the scores decide it.
  init(
    leftOut: [String], keys: KeyRule, groups: [String] = [], bins: Manifest.Votes? = nil,
    takesUnlabelled: Bool = false, scale: @escaping (Manifest.Table) -> ScoreRange?
  ) {
    cells = CellRules(
      groups: Set(names: groups), bins: bins, takesUnlabelled: takesUnlabelled)
    leftOutKeys = Set(leftOut.map(ImageKey.init))
    self.keys = keys
    self.scale = scale
  }

  /// How many outer folders all labelled pictures share: those tell no datasets apart.
  var sharedFolders: Int {
    var shared: [String]?
    for entry in entries where entry.score != nil {
      let own = Array(PathName.parts(entry.key.text).dropLast())
      shared =
        shared.map { known in
          Array(zip(known, own).prefix { $0.0.isExactly($0.1) }.map(\.0))
        } ?? own
      if shared?.isEmpty == true { break }
    }
    return shared?.count ?? 0
  }

  /// The first folder of a picture below those that all share; empty for a picture without one.
  static func folder(of key: ImageKey, below shared: Int) -> String {
    let parts = PathName.parts(key.text)
    return parts.count > shared + 1 ? parts[shared] : ""
  }

  /// Keeps only the pictures of one folder.
  ///
  /// - Throws: `DataError` that lists the folders there are.
  mutating func keep(folder: String, of path: String) throws(DataError) {
    let shared = sharedFolders
    var places: [Int: Int] = [:]
    var kept: [Entry] = []
    for (place, entry) in entries.enumerated()
    where Self.folder(of: entry.key, below: shared).isExactly(folder) {
      places[place] = kept.count
      kept.append(entry)
    }
    guard !kept.isEmpty else {
      let known = Set(names: entries.map { Self.folder(of: $0.key, below: shared) }).sorted()
      throw DataError(
        """
        \(path): no picture in a folder "\(folder)"; the folders are \
        \(known.prefix(20).map { $0.text.isEmpty ? "(none)" : $0.text }.joined(separator: ", "))
        """, isMissing: true)
    }
    rows = kept.reduce(0) { $0 + ($1.score == nil ? 0 : $1.rows) }
    entries = kept
    parts = parts.map { ($0.name, $0.members.compactMap { places[$0] }) }
      .filter { !$0.members.isEmpty }
    self.places = Dictionary(
      kept.enumerated().map { ($0.element.key, $0.offset) },
      uniquingKeysWith: { a, _ in a })
  }

  /// Sets a line aside.
  mutating func skip(_ line: SetAsideLine) { skipped.append(line) }

  /// The place of a picture; a new one has no score yet.
  mutating func place(of key: ImageKey) -> Int {
    if let place = places[key] { return place }
    places[key] = entries.count
    entries.append(Entry(key: key))
    return entries.count - 1
  }

  /// The place of a picture that is there.
  func knownPlace(of key: ImageKey) -> Int? { places[key] }

  /// Fills in what ratings say where no table said it.
  mutating func fill(_ place: Int, score: Double?, votes: [Int]?, place text: String) {
    if let score, entries[place].score == nil {
      entries[place].score = score
      entries[place].place = text
    }
    if entries[place].votes == nil { entries[place].votes = votes }
  }

  mutating func fill(_ place: Int, attribute name: String, _ value: Double) {
    if !entries[place].attributes.contains(where: { $0.name.isExactly(name) }) {
      entries[place].attributes.append((name, value))
    }
  }

  mutating func fill(_ place: Int, attributeVotes name: String, _ counts: [Int]) {
    if entries[place].attributeVotes[name] == nil { entries[place].attributeVotes[name] = counts }
  }

  mutating func fill(_ place: Int, extra member: JSON.Member) {
    if !entries[place].extra.contains(where: { $0.name.isExactly(member.name) }) {
      entries[place].extra.append(member)
    }
  }

  /// Reads a table; `star` is what the `*` of its name stands for.
  mutating func add(_ reader: TableReader, star: String) {
    let table = reader.table
    // The same labels of one division in several files repeat each other; files of several
    // divisions hold the same pictures on purpose.
    let group = ExactText(
      !table.isLabels
        ? "file \(reader.name)"
        : "scheme \((table.part ?? table.partColumn?.scheme ?? "").prefix { $0 != "/" })")
    var seen = seen[group] ?? []
    let areShares = VoteCells.areShares(reader)
    // Closures cannot change self: rows are gathered by a copy that takes its place.
    var result = self
    result.skipped += reader.eachRow { row in
      if table.isLabels { result.rows += 1 }
      do throws(DataError) {
        var entry = Entry(key: try keys.key(row, reader), place: reader.place(row))
        try cells.read(row, reader, star: star, areShares: areShares, into: &entry)
        if let score = entry.score, let scale = scale(table), !scale.contains(score) {
          throw DataError(
            """
            the score \(ScoreRange.short(score)) is outside \(scale.words); if that is the scale, \
            say so with --min-score and --max-score
            """)
        }
        if result.leftOutKeys.contains(entry.key) {
          result.leftOut += 1
          return
        }
        if !seen.insert(entry.key).inserted { result.duplicates += 1 }
        let place = try result.merge(entry)
        if let part = try Self.part(row, reader, table) { result.join(part, place) }
      } catch {
        result.skipped.append(reader.skipped(row, error.message))
      }
    }
    result.seen[group] = seen
    self = result
  }

  /// Merges what a line says with what earlier lines said.
  private mutating func merge(_ entry: Entry) throws(DataError) -> Int {
    guard let place = places[entry.key] else {
      places[entry.key] = entries.count
      entries.append(entry)
      return entries.count - 1
    }
    if let score = entry.score {
      entries[place].rows += entries[place].score == nil ? 0 : 1
      if let known = entries[place].score, known != score {
        // One copy of the labels may have fewer decimals than another; the first one counts.
        let isOtherFile = Self.file(entries[place].place) != Self.file(entry.place)
        guard isOtherFile, abs(known - score) <= 1e-3 * max(1, abs(known)) else {
          throw DataError(
            "\(entry.key) has the score \(score) here and \(known) in \(entries[place].place)")
        }
      } else {
        entries[place].score = score
        entries[place].place = entry.place
      }
    }
    if let votes = entry.votes {
      if let known = entries[place].votes, known != votes {
        throw DataError("\(entry.key) has the votes \(votes) here and \(known) in an earlier line")
      }
      entries[place].votes = votes
    }
    for attribute in entry.attributes {
      guard
        let known = entries[place].attributes.first(where: { $0.name.isExactly(attribute.name) })
      else {
        entries[place].attributes.append(attribute)
        continue
      }
      // One copy of the labels may have fewer decimals than another.
      guard abs(known.value - attribute.value) <= 1e-3 * max(1, abs(known.value)) else {
        throw DataError(
          """
          \(entry.key) has \(attribute.name) \(attribute.value) here and \(known.value) in an \
          earlier line
          """)
      }
    }
    entries[place].attributeVotes.merge(entry.attributeVotes) { known, _ in known }
    for member in entry.extra
    where !entries[place].extra.contains(where: { $0.name.isExactly(member.name) }) {
      entries[place].extra.append(member)
    }
    return place
  }

  /// The file of a place: what precedes the line number.
  static func file(_ place: String) -> FileName {
    guard let mark = place.utf8.lastIndex(of: UInt8(ascii: ":")) else { return FileName(place) }
    return FileName(String(place[..<mark]))
  }

  private static func part(
    _ row: TableRow, _ reader: TableReader, _ table: Manifest.Table
  ) throws(DataError) -> String? {
    guard let rule = table.partColumn else { return table.part }
    let value = reader.field(row, rule.column) ?? ""
    guard let part = rule.values[value] else {
      let known = rule.values.keys.sorted().joined(separator: ", ")
      throw DataError("\(rule.column) is \"\(value)\", expected one of \(known)")
    }
    return "\(rule.scheme)/\(part)"
  }

  /// A line that is set aside because it contradicts what is stored already.
  static func contradiction(_ entry: Entry, _ reason: String) -> SetAsideLine {
    let rest = entry.place.utf8.dropFirst(file(entry.place).text.utf8.count + 1)
    let line = Int(Substring(rest.prefix { (0x30...0x39).contains($0) })) ?? 1
    return SetAsideLine(
      file: file(entry.place).text, line: line, reason: reason, content: entry.key.text)
  }

  mutating func join(_ part: String, _ place: Int) {
    if let index = parts.firstIndex(where: { $0.name == part }) {
      parts[index].members.append(place)
    } else {
      parts.append((part, [place]))
    }
  }
}
