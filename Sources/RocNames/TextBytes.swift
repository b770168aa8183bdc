/// Searching and cutting texts at bytes: a combining mark after a comma or a quotation mark forms
/// one character with it in Swift, but not in a file format.
extension String {
  /// Where `other` occurs, without overlaps.
  package func byteRanges(of other: String) -> [Range<String.Index>] {
    let pattern = Array(other.utf8)
    guard let first = pattern.first else { return [] }
    var ranges: [Range<String.Index>] = []
    var rest = utf8[...]
    while let start = rest.firstIndex(of: first) {
      rest = rest[start...]
      guard rest.starts(with: pattern) else {
        rest = rest.dropFirst()
        continue
      }
      let end = rest.index(start, offsetBy: pattern.count)
      ranges.append(start..<end)
      rest = rest[end...]
    }
    return ranges
  }

  /// Whether `other` occurs anywhere.
  package func containsBytes(of other: String) -> Bool {
    guard let first = other.utf8.first else { return true }
    var rest = utf8[...]
    while let start = rest.firstIndex(of: first) {
      rest = rest[start...]
      if rest.starts(with: other.utf8) { return true }
      rest = rest.dropFirst()
    }
    return false
  }

  /// The text with another one put in place of each `old`.
  package func replacingBytes(of old: String, with new: String) -> String {
    let ranges = byteRanges(of: old)
    guard !ranges.isEmpty else { return self }
    var result = ""
    var place = startIndex
    for range in ranges {
      result += self[place..<range.lowerBound] + new
      place = range.upperBound
    }
    return result + self[place...]
  }

  /// The pieces between separators, empty ones as well.
  package func pieces(_ separator: Unicode.Scalar, atMost count: Int = .max) -> [String] {
    utf8.split(
      separator: UInt8(ascii: separator), maxSplits: count - 1, omittingEmptySubsequences: false
    ).map { String(Substring($0)) }
  }
}
