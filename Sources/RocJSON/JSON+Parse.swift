/// Where and why a text is not JSON.
package struct JSONError: Error, CustomStringConvertible, Equatable {
  /// 1-based.
  package let line: Int
  /// 1-based, in bytes.
  package let column: Int
  package let reason: String

  package var description: String { "line \(line), column \(column): \(reason)" }
}

extension JSON {
  /// Parses one value that fills the whole text; a byte order mark is skipped.
  ///
  /// - Throws: `JSONError` with line and column.
  package static func parse(_ bytes: UnsafeRawBufferPointer) throws(JSONError) -> JSON {
    var parser = JSONParser(bytes)
    let value = try parser.value()
    parser.skipBlanks()
    guard parser.atEnd else { throw parser.error("unexpected text after the value") }
    return value
  }

  package static func parse(_ text: String) throws(JSONError) -> JSON {
    let bytes = Array(text.utf8)
    let result = bytes.withUnsafeBytes { buffer -> Result<JSON, JSONError> in
      Result { () throws(JSONError) in try parse(buffer) }
    }
    return try result.get()
  }
}

/// A recursive-descent parser over bytes that also reads values one after another.
package struct JSONParser {
  /// Deeper nesting is refused, so that hostile text cannot exhaust the stack.
  static let deepest = 128

  private let bytes: UnsafeRawBufferPointer
  private let readsNonFinite: Bool
  package private(set) var position: Int
  /// How far lines were counted, so that an error late in a large file does not count them all.
  private var marked = 0
  private var markedLine = 1
  private var markedLineStart = 0

  /// - Parameters:
  ///   - bytes: The text.
  ///   - readsNonFinite: Reads NaN and Infinity, which Python writes though they are not JSON, so
  ///     that a caller can name the field that holds them.
  package init(_ bytes: UnsafeRawBufferPointer, readsNonFinite: Bool = false) {
    self.bytes = bytes
    self.readsNonFinite = readsNonFinite
    let hasMark = bytes.count >= 3 && bytes[0] == 0xEF && bytes[1] == 0xBB && bytes[2] == 0xBF
    position = hasMark ? 3 : 0
  }

  var count: Int { bytes.count }

  subscript(position: Int) -> UInt8 { bytes[position] }

  package var atEnd: Bool { position >= bytes.count }

  /// The next byte, or nil at the end.
  package var next: UInt8? { position < bytes.count ? bytes[position] : nil }

  package mutating func skip() { position += 1 }

  /// Continues from another position.
  mutating func go(to position: Int) { self.position = position }

  package mutating func skipBlanks() {
    while let byte = next, byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 {
      position += 1
    }
  }

  /// Counts lines up to here; positions before this one are not needed again.
  ///
  /// - Returns: The line of this position, from 1.
  mutating func mark() -> Int {
    (markedLine, markedLineStart) = line(of: position)
    marked = max(marked, position)
    return markedLine
  }

  private func line(of position: Int) -> (line: Int, start: Int) {
    var line = markedLine
    var start = markedLineStart
    for i in marked..<max(marked, min(position, bytes.count)) where bytes[i] == 0x0A {
      line += 1
      start = i + 1
    }
    return (line, start)
  }

  package func error(_ reason: String) -> JSONError {
    let (line, start) = line(of: position)
    return JSONError(line: line, column: position - start + 1, reason: reason)
  }

  /// The next value, blanks before it skipped.
  package mutating func value(depth: Int = 0) throws(JSONError) -> JSON {
    skipBlanks()
    guard let byte = next else { throw error("the text ends where a value is expected") }
    guard depth < Self.deepest else { throw error("nested deeper than \(Self.deepest) levels") }
    switch byte {
    case UInt8(ascii: "{"): return try object(depth: depth)
    case UInt8(ascii: "["): return try array(depth: depth)
    case UInt8(ascii: "\""): return .string(try string())
    case UInt8(ascii: "t"): return try word("true", .bool(true))
    case UInt8(ascii: "f"): return try word("false", .bool(false))
    case UInt8(ascii: "n"): return try word("null", .null)
    case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): return try number()
    default:
      for name in ["NaN", "Infinity"] where starts(with: name) {
        return try nonFinite(name, name == "NaN" ? .nan : .infinity)
      }
      throw error("unexpected \(describe(byte)), expected a value")
    }
  }

  private func describe(_ byte: UInt8) -> String {
    byte >= 0x20 && byte < 0x7F
      ? "'\(Character(UnicodeScalar(byte)))'" : "byte 0x" + String(byte, radix: 16)
  }

  private func starts(with word: String) -> Bool {
    let text = word.utf8
    return position + text.count <= bytes.count
      && zip(text, bytes[position...]).allSatisfy { $0 == $1 }
  }

  private mutating func word(_ word: String, _ value: JSON) throws(JSONError) -> JSON {
    guard starts(with: word) else { throw error("expected \(word)") }
    position += word.utf8.count
    return value
  }

  private mutating func nonFinite(_ name: String, _ value: Double) throws(JSONError) -> JSON {
    guard readsNonFinite else { throw error("\(name) is not a JSON number") }
    position += name.utf8.count
    return .double(value)
  }

  private mutating func object(depth: Int) throws(JSONError) -> JSON {
    var members: [JSON.Member] = []
    skip()
    skipBlanks()
    if next == UInt8(ascii: "}") {
      skip()
      return .object(members)
    }
    while true {
      skipBlanks()
      guard next == UInt8(ascii: "\"") else { throw error("expected a member name in quotes") }
      let name = try string()
      skipBlanks()
      guard next == UInt8(ascii: ":") else { throw error("expected ':' after \"\(name)\"") }
      skip()
      members.append(JSON.Member(name, try value(depth: depth + 1)))
      skipBlanks()
      switch next {
      case UInt8(ascii: ","): skip()
      case UInt8(ascii: "}"):
        skip()
        return .object(members)
      default: throw error("expected ',' or '}' in the object")
      }
    }
  }

  private mutating func array(depth: Int) throws(JSONError) -> JSON {
    var elements: [JSON] = []
    skip()
    skipBlanks()
    if next == UInt8(ascii: "]") {
      skip()
      return .array(elements)
    }
    while true {
      elements.append(try value(depth: depth + 1))
      skipBlanks()
      switch next {
      case UInt8(ascii: ","): skip()
      case UInt8(ascii: "]"):
        skip()
        return .array(elements)
      default: throw error("expected ',' or ']' in the array")
      }
    }
  }

  private mutating func number() throws(JSONError) -> JSON {
    let start = position
    var isInteger = true
    if next == UInt8(ascii: "-") { skip() }
    if starts(with: "Infinity") { return try nonFinite("Infinity", -.infinity) }
    guard let first = next, isDigit(first) else { throw error("expected a digit") }
    skip()
    if first == UInt8(ascii: "0"), let byte = next, isDigit(byte) {
      throw error("a number with a leading zero")
    }
    skipDigits()
    if next == UInt8(ascii: ".") {
      isInteger = false
      skip()
      try requireDigits()
    }
    if next == UInt8(ascii: "e") || next == UInt8(ascii: "E") {
      isInteger = false
      skip()
      if next == UInt8(ascii: "+") || next == UInt8(ascii: "-") { skip() }
      try requireDigits()
    }
    let text = String(decoding: bytes[start..<position], as: UTF8.self)
    if isInteger, let value = Int(text) { return .int(value) }
    guard let value = Double(text), value.isFinite else {
      throw error("the number \(text) does not fit a double")
    }
    return .double(value)
  }

  private func isDigit(_ byte: UInt8) -> Bool { byte >= 0x30 && byte <= 0x39 }

  private mutating func skipDigits() {
    while let byte = next, isDigit(byte) { skip() }
  }

  private mutating func requireDigits() throws(JSONError) {
    guard let byte = next, isDigit(byte) else { throw error("expected a digit") }
    skipDigits()
  }
}
