// Swift compares characters, Python code points: a blank or a mark followed by an accent is
// another character, but the same code point. Texts are therefore not cut by characters here.
extension String {
  /// The text without the blanks at its ends, as Python's `str.strip` leaves it.
  package var strippedOfPythonSpace: String {
    let kept = unicodeScalars.drop(while: isPythonSpace)
    let end = kept.lastIndex { !isPythonSpace($0) }.map(kept.index(after:))
    return String(kept[..<(end ?? kept.startIndex)])
  }

  /// The stretches between the occurrences of `mark`, empty ones included, compared byte by byte.
  package func stretches(between mark: String) -> [String] {
    let bytes = Array(utf8)
    let mark = Array(mark.utf8)
    var parts: [String] = []
    var start = 0
    var position = 0
    while position + mark.count <= bytes.count {
      if bytes[position...].starts(with: mark) {
        parts.append(String(decoding: bytes[start..<position], as: UTF8.self))
        position += mark.count
        start = position
      } else {
        position += 1
      }
    }
    return parts + [String(decoding: bytes[start...], as: UTF8.self)]
  }

  /// The text with one scalar replaced by another.
  func replacing(_ scalar: UnicodeScalar, with other: UnicodeScalar) -> String {
    var result = String.UnicodeScalarView()
    result.append(contentsOf: unicodeScalars.map { $0 == scalar ? other : $0 })
    return String(result)
  }
}
