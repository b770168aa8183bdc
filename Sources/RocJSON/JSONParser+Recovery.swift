/// Going on after a value that cannot be read.
extension JSONParser {
  /// Passes over an element of an array that cannot be read.
  ///
  /// Its end is where its brackets close, or before the next line that begins with an opening brace
  /// in the column of this one: a record that lacks its end would swallow what follows.
  ///
  /// - Parameter start: Where the element begins.
  /// - Returns: Whether an element follows at once, without a comma; nil at the end of the text.
  mutating func passOver(from start: Int) -> Bool? {
    go(to: start)
    // A comma before the array's end.
    if self.next == UInt8(ascii: "]") { return false }
    let end = closing(from: start)
    let next = nextAligned(from: start, before: end ?? count)
    if let next {
      go(to: next)
      return true
    }
    guard let end else { return nil }
    go(to: max(end, start + 1))
    return false
  }

  /// The place after the bracket that closes the value at `start`, or that of the comma or bracket
  /// of the array around it; nil where nothing closes it.
  private func closing(from start: Int) -> Int? {
    var open: [UInt8] = []
    var inString = false
    var i = start
    while i < count {
      let byte = self[i]
      i += 1
      if inString {
        // A string never spans lines, so a missing mark costs one line.
        if byte == UInt8(ascii: "\\") {
          i += 1
        } else if byte == UInt8(ascii: "\"") || byte == 0x0A {
          inString = false
        }
        continue
      }
      switch byte {
      case UInt8(ascii: "\""): inString = true
      case UInt8(ascii: "{"): open.append(UInt8(ascii: "}"))
      case UInt8(ascii: "["): open.append(UInt8(ascii: "]"))
      case UInt8(ascii: "}"), UInt8(ascii: "]"):
        // A bracket of the other kind closes what was left open inside.
        while let last = open.last, last != byte, open.contains(byte) { open.removeLast() }
        guard open.last == byte else {
          if byte == UInt8(ascii: "]") || open.isEmpty { return i - 1 }
          continue
        }
        open.removeLast()
        if open.isEmpty { return i }
      case UInt8(ascii: ",") where open.isEmpty: return i - 1
      default: break
      }
    }
    return nil
  }

  /// The next opening brace that is first on its line, in the same column as the one at `start`.
  private func nextAligned(from start: Int, before end: Int) -> Int? {
    var lineStart = start
    while lineStart > 0, self[lineStart - 1] != 0x0A { lineStart -= 1 }
    let isBlank = { (byte: UInt8) in byte == 0x20 || byte == 0x09 }
    guard (lineStart..<start).allSatisfy({ isBlank(self[$0]) }) else { return nil }
    let column = start - lineStart
    var i = start
    while i < end {
      guard self[i] == 0x0A else {
        i += 1
        continue
      }
      var first = i + 1
      while first < end, isBlank(self[first]) { first += 1 }
      if first < end, first - i - 1 == column, self[first] == UInt8(ascii: "{") { return first }
      i += 1
    }
    return nil
  }
}
