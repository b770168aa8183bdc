/// Searching and cutting texts at bytes: a combining mark behind a comma or a quotation mark joins
/// them to one character of Swift's, but to none of a file format's.
extension String {
  /// Where `other` stands, without overlaps.
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

  /// Whether `other` stands anywhere.
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

  /// The pieces between a separator, empty ones as well.
  package func pieces(_ separator: Unicode.Scalar, atMost count: Int = .max) -> [String] {
    utf8.split(
      separator: UInt8(ascii: separator), maxSplits: count - 1, omittingEmptySubsequences: false
    ).map { String(Substring($0)) }
  }
}

/// Text made harmless for a format.
package enum Escaped {
  /// A CSV field, in quotes where it must be (RFC 4180).
  package static func csv(_ field: String) -> String {
    guard field.utf8.contains(where: { [0x22, 0x2C, 0x0A, 0x0D].contains($0) }) else {
      return field
    }
    return "\"\(field.replacingBytes(of: "\"", with: "\"\""))\""
  }

  /// Text or an attribute's value of HTML, SVG and XML.
  package static func xml(_ text: String) -> String {
    let names: [UInt8: String] = [0x26: "&amp;", 0x3C: "&lt;", 0x3E: "&gt;", 0x22: "&quot;"]
    guard text.utf8.contains(where: { names[$0] != nil }) else { return text }
    var bytes: [UInt8] = []
    for byte in text.utf8 {
      if let name = names[byte] { bytes += name.utf8 } else { bytes.append(byte) }
    }
    return String(decoding: bytes, as: UTF8.self)
  }

  /// The cell of a Markdown table.
  package static func markdown(_ text: String) -> String {
    text.replacingBytes(of: "|", with: "\\|").replacingBytes(of: "\n", with: " ")
  }
}
