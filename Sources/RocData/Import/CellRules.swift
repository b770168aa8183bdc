import RocJSON
import RocNames
import RocTables

/// What the cells of a row say about its picture, by the manifest's table.
struct CellRules {
  private typealias Samples = TableSamples

  /// Columns that name what pictures were made from, also where they hold numbers.
  let groups: Set<ExactText>
  /// The bins of the votes.
  let bins: Manifest.Votes?
  /// Counts pictures without a score instead of setting their lines aside.
  let takesUnlabelled: Bool

  /// Fills `entry` with a row's score, votes, attributes and everything else that the row holds.
  ///
  /// - Parameters:
  ///   - row: A row of the reader's file.
  ///   - reader: Knows the columns.
  ///   - star: What the `*` of the table's file name stands for.
  ///   - areShares: Votes are given as shares of their sum.
  ///   - entry: Has its key and place.
  /// - Throws: `DataError` for a cell that is not what the table says it is.
  func read(
    _ row: TableRow, _ reader: TableReader, star: String, areShares: Bool,
    into entry: inout TableSamples.Entry
  ) throws(DataError) {
    let table = reader.table
    // Columns that need not be kept as they stand.
    var used = Set(names: table.key?.all ?? [])
    try readScore(row, reader, into: &entry, used: &used)
    if let votes = table.votes {
      let cells = try VoteCells(row, reader, votes, bins: bins?.bins, areShares: areShares)
      entry.votes = cells.counts
      // Shares stay with what is kept of the picture.
      used.formUnion(Set(names: cells.counts == nil ? votes.columns : votes.cells))
      if let bins, table.meanOfVotes == true { entry.score = cells.mean(bins) }
    }
    for (name, votes) in table.attributeVotes ?? [:] {
      // A file that lacks the columns, or a row whose cells are empty, has no votes.
      let isThere = votes.cells.allSatisfy { column in
        reader.field(row, column).map { !Samples.isEmpty($0) } ?? false
      }
      guard isThere else { continue }
      entry.attributeVotes[name] = try VoteCells(row, reader, votes).counts
      used.formUnion(Set(names: votes.cells))
    }
    if let column = table.namedAttribute {
      entry.attributes.append((star, try Samples.number(row, reader, column)))
      used.insert(column)
    }
    if let name = table.nameKept { entry.extra.append(.init(name, .string(star))) }
    try readAttributes(row, reader, into: &entry, used: &used)
    for column in reader.header where !used.contains(column) {
      let value = row.json?[column]
      if row.json != nil, value == nil { continue }
      entry.extra.append(.init(column, value ?? .string(reader.field(row, column) ?? "")))
    }
  }

  private func readScore(
    _ row: TableRow, _ reader: TableReader, into entry: inout TableSamples.Entry,
    used: inout Set<ExactText>
  ) throws(DataError) {
    guard let names = reader.score else { return }
    used.formUnion(Set(names: names.all))
    let found = reader.field(row, names)
    if takesUnlabelled && Samples.isEmpty(found?.text ?? "") { return }
    let values = try Samples.numbers(
      found?.text ?? "", found?.column ?? names.all[0], hasComma: reader.allowsDecimalComma)
    entry.score = values.first
    // A record with several scores: the first is gt_score, the others are kept by their place.
    for (place, value) in values.enumerated() where values.count > 1 {
      entry.attributes.append(("\(found?.column ?? "score")[\(place)]", value))
    }
  }

  private func readAttributes(
    _ row: TableRow, _ reader: TableReader, into entry: inout TableSamples.Entry,
    used: inout Set<ExactText>
  ) throws(DataError) {
    let names = reader.table.attributes ?? []
    let takesAll = names == ["*"]
    for column in takesAll ? reader.header : names
    where !used.contains(column) && !groups.contains(column) {
      // An empty cell is no measurement: some files leave attributes out for some pictures.
      guard let text = reader.field(row, column), !Samples.isEmpty(text) else { continue }
      guard let value = Samples.number(text, hasComma: reader.allowsDecimalComma) else {
        if takesAll { continue }
        throw DataError("\(column) is \"\(text)\", expected a number")
      }
      used.insert(column)
      entry.attributes.append((column, value))
    }
    used.formUnion(Set(names: names))
  }
}
