/// Words of English comments as Stanford's PTBTokenizer cuts them with `-lowerCase`, without the
/// punctuation that pycocoevalcap removes before it compares captions.
///
/// Contractions are split (`do n't`, `it 's`), words keep their hyphens and slashes, brackets become
/// `-lrb-` and `-rrb-`. Checked against the original on comments; rare constructions of other kinds
/// of text (formulas, mark-up) may be cut differently.
package enum CommentTokens {
  /// What pycocoevalcap's list removes; brackets stay, since they are in lower case there.
  private static let removed: Set<String> = [
    "''", "'", "``", "`", ".", "?", "!", ",", ":", "-", "--", "...", ";",
  ]
  private static let endings = ["n't", "'s", "'m", "'d", "'re", "'ve", "'ll"]
  private static let joined = [
    "cannot": ["can", "not"], "gonna": ["gon", "na"], "wanna": ["wan", "na"],
    "gotta": ["got", "ta"], "gimme": ["gim", "me"], "lemme": ["lem", "me"],
  ]
  private static let abbreviations: Set<String> = [
    "mr.", "mrs.", "ms.", "dr.", "st.", "vs.", "etc.", "prof.", "jr.", "sr.", "no.",
  ]

  package static func of(_ text: String) -> [String] {
    let letters = Array(text.lowercased().map { $0 == "’" || $0 == "‘" ? "'" : $0 })
    var tokens: [String] = []
    var place = 0
    while place < letters.count {
      if letters[place].isWhitespace {
        place += 1
        continue
      }
      let (token, end) = next(letters, place)
      tokens += split(token)
      place = max(end, place + 1)
    }
    return tokens.filter { !removed.contains($0) }
  }

  /// The token that begins at a place, and where it ends.
  private static func next(_ letters: [Character], _ start: Int) -> (String, Int) {
    func at(_ place: Int) -> Character? { place < letters.count ? letters[place] : nil }
    func isWord(_ letter: Character?) -> Bool { letter.map { $0.isLetter || $0.isNumber } ?? false }
    let rest = String(letters[start..<min(start + 8, letters.count)])
    if rest.hasPrefix("http://") || rest.hasPrefix("https://") || rest.hasPrefix("www.") {
      var end = start
      while let letter = at(end), !letter.isWhitespace { end += 1 }
      while end > start + 1, ".,;:!?)".contains(letters[end - 1]) { end -= 1 }
      return (String(letters[start..<end]), end)
    }
    // Smileys: eyes, perhaps a nose, a mouth.
    if ":;=".contains(letters[start]) {
      let hasNose = at(start + 1) == "-"
      let mouth = at(start + (hasNose ? 2 : 1))
      if let mouth, ")(".contains(mouth) {
        return (
          "\(letters[start])\(hasNose ? "-" : "")\(mouth == ")" ? "-rrb-" : "-lrb-")",
          start + (hasNose ? 3 : 2)
        )
      }
    }
    switch letters[start] {
    case "(": return ("-lrb-", start + 1)
    case ")": return ("-rrb-", start + 1)
    case "[": return ("-lsb-", start + 1)
    case "]": return ("-rsb-", start + 1)
    case "\"", "“", "”": return ("``", start + 1)
    case ".", "!", "?", "-":
      var end = start
      while at(end) == letters[start] { end += 1 }
      if letters[start] == ".", end == start + 1, at(end)?.isNumber == true {
        while let letter = at(end), letter.isNumber { end += 1 }
        return (String(letters[start..<end]), end)
      }
      // Exclamation and question marks in a row are one token.
      if letters[start] != "-", letters[start] != "." {
        while let letter = at(end), letter == "!" || letter == "?" { end += 1 }
      }
      let run = String(letters[start..<end])
      return (letters[start] == "." && run.count > 1 ? "..." : run, end)
    case "'":
      // What is left of a contraction, or a quotation mark.
      for ending in endings where ending.hasPrefix("'") {
        let own = String(letters[start..<min(start + ending.count, letters.count)])
        if own == ending, !isWord(at(start + ending.count)) {
          return (ending, start + ending.count)
        }
      }
      return ("'", start + 1)
    default: break
    }
    guard isWord(letters[start]) else { return (String(letters[start]), start + 1) }
    return word(letters, start)
  }

  /// A word or number with what belongs inside it: hyphens and slashes between letters, points and
  /// commas between digits, apostrophes, and the points of abbreviations like `p.m.`.
  private static func word(_ letters: [Character], _ start: Int) -> (String, Int) {
    func at(_ place: Int) -> Character? { place < letters.count ? letters[place] : nil }
    func isWord(_ letter: Character?) -> Bool { letter.map { $0.isLetter || $0.isNumber } ?? false }
    // Letters with points between them keep the last one: `p.m.`
    var last = start + 1
    while letters[start].isLetter, at(last) == ".", let letter = at(last + 1), letter.isLetter,
      !isWord(at(last + 2))
    {
      last += 2
    }
    if last > start + 1, at(last) == "." { return (String(letters[start...last]), last + 1) }
    var end = start
    var hasSlash = false
    let beginsWithNumber = letters[start].isNumber
    while let letter = at(end) {
      if isWord(letter) {
        end += 1
        continue
      }
      guard isWord(at(end + 1)) else { break }
      let isBetweenDigits = letters[end - 1].isNumber && at(end + 1)?.isNumber == true
      switch letter {
      case "-", "'": end += 1
      case "/":
        hasSlash = true
        end += 1
      // `f/2.8` is cut before the point, `3.14` is not.
      case ".", ",", ":":
        guard isBetweenDigits, beginsWithNumber || !hasSlash else {
          return (String(letters[start..<end]), end)
        }
        end += 1
      default: return (String(letters[start..<end]), end)
      }
    }
    let text = String(letters[start..<end])
    if at(end) == ".", abbreviations.contains(text + ".") { return (text + ".", end + 1) }
    return (text, end)
  }

  /// The parts of a contraction.
  private static func split(_ token: String) -> [String] {
    if let parts = joined[token] { return parts }
    guard token.contains("'"), token.count > 2 else { return [token] }
    for ending in endings where token.hasSuffix(ending) && token != ending {
      let stem = String(token.dropLast(ending.count))
      // `would've` and the rarer `shouldn't've`.
      return split(stem) + [ending]
    }
    return [token]
  }
}
