import RocStore
import RocTables

/// What a user's own manifest may get wrong besides its YAML.
extension Manifest {
  /// - Throws: `DataError` that names the key and what it holds.
  func checkRules(_ path: String) throws(DataError) {
    func refuse(_ reason: String) -> DataError { DataError("\(path): \(reason)") }
    let isPlain = !name.isEmpty && !name.contains { "/. \\".contains($0) }
    guard isPlain else {
      throw refuse("name is \"\(name)\", expected one without dots, slashes and blanks")
    }
    guard images.name.contains("{id}") else {
      throw refuse("images.name is \"\(images.name)\", expected {id} in it")
    }
    var words = [("score.word", score.word)].compactMap { key, word in word.map { (key, $0) } }
    words += (attributeWords ?? [:]).map { ("attribute_words.\($0)", $1) }
    for column in groupColumns where column.utf8.contains(where: { $0 == 0x22 || $0 == 0x5C }) {
      throw refuse("group \(column) holds a quotation mark or a backslash")
    }
    for (key, word) in words {
      if let reason = ScoreWord.reason(against: word) { throw refuse("\(key) \(reason)") }
    }
    var ranges: [(String, Double, Double)] = [("score", score.low, score.high)]
    ranges += (score.scales ?? []).map { ("score.scales", $0.low, $0.high) }
    ranges += (variants ?? []).map { ("variant \($0.name)", $0.low, $0.high) }
    ranges += (variants ?? []).compactMap { variant in
      variant.attributeRange.map { ("attribute_range of \(variant.name)", $0.low, $0.high) }
    }
    if let range = attributeRange { ranges.append(("attribute_range", range.low, range.high)) }
    ranges += (attributeRanges ?? [:]).map { ("attribute_ranges.\($0)", $1.low, $1.high) }
    for (key, low, high) in ranges where !(low < high && (high - low).isFinite) {
      throw refuse("\(key) goes from \(low) to \(high), expected a low below a high")
    }
    if let votes {
      guard votes.bins >= 1, votes.step > 0, votes.step.isFinite, votes.first.isFinite else {
        throw refuse("votes needs bins of 1 or more and a step above 0")
      }
    }
    if let seeded, !(seeded.test >= 0 && seeded.test <= 1) {
      throw refuse("seeded.test is \(seeded.test), expected a share from 0 to 1")
    }
    if let byRaters, byRaters.low > byRaters.high {
      throw refuse("by_raters goes from \(byRaters.low) to \(byRaters.high)")
    }
    for table in tables ?? [] {
      if let wide = table.wide, !(1...1000).contains(wide.count) {
        throw refuse("wide.count is \(wide.count), expected 1 to 1000")
      }
      if let rule = table.keyMatch, (try? Regex(rule.pattern)) == nil {
        throw refuse("key_match.pattern \"\(rule.pattern)\" is no regular expression")
      }
      if let columns = table.votes, columns.list == nil, columns.columns.count != votes?.bins {
        throw refuse(
          "\(columns.columns.count) vote columns for \(votes?.bins ?? 0) bins of votes")
      }
      if let columns = table.votes, columns.list != nil, !columns.columns.isEmpty || votes == nil {
        throw refuse(
          "votes.list \(columns.list ?? "") goes without columns and with votes: {bins, first, step}"
        )
      }
      if table.meanOfVotes == true, table.votes == nil || table.score != nil || votes == nil {
        throw refuse(
          "mean_of_votes goes with the table's votes and votes: {bins, first, step}, without score")
      }
      var parts = table.part.map { [$0] } ?? []
      if let column = table.partColumn {
        parts += column.values.values.map { "\(column.scheme)/\($0)" }
      }
      for part in parts {
        let pieces = part.split(separator: "/", omittingEmptySubsequences: false)
        guard pieces.count == 2, !pieces[0].isEmpty, SplitName.parts.contains(String(pieces[1]))
        else { throw refuse("part \"\(part)\", expected SCHEME/train, SCHEME/val or SCHEME/test") }
      }
    }
  }
}
