/// A walk through one large value, so that no more than a piece of it is ever in memory.
///
/// The caller opens what it expects: `{"images": [ … ]}` is read with `openObject`, `nextName` and
/// `openArray`, `nextElement`, and what does not matter is passed over with `value`.
package struct JSONWalk {
  private var parser: JSONParser
  private var isFirst = false
  /// Where the last value began.
  private var start = 0

  /// - Parameters:
  ///   - bytes: The text.
  ///   - readsNonFinite: Reads NaN and Infinity as numbers.
  package init(_ bytes: UnsafeRawBufferPointer, readsNonFinite: Bool = false) {
    parser = JSONParser(bytes, readsNonFinite: readsNonFinite)
  }

  /// Bytes read so far.
  package var position: Int { parser.position }

  /// The line on which the next value begins, from 1.
  package var line: Int {
    mutating get {
      parser.skipBlanks()
      return parser.mark()
    }
  }

  /// The byte with which the next value begins.
  package mutating func peek() -> UInt8? {
    parser.skipBlanks()
    return parser.next
  }

  package mutating func openObject() throws(JSONError) { try open(UInt8(ascii: "{"), "an object") }

  package mutating func openArray() throws(JSONError) { try open(UInt8(ascii: "["), "an array") }

  private mutating func open(_ mark: UInt8, _ what: String) throws(JSONError) {
    parser.skipBlanks()
    guard parser.next == mark else { throw parser.error("expected \(what)") }
    parser.skip()
    isFirst = true
  }

  /// The name of the object's next member, or nil at its end.
  package mutating func nextName() throws(JSONError) -> String? {
    guard try goesOn(UInt8(ascii: "}")) else { return nil }
    guard case .string(let name) = try parser.value() else {
      throw parser.error("expected a member's name")
    }
    parser.skipBlanks()
    guard parser.next == UInt8(ascii: ":") else { throw parser.error("expected ':'") }
    parser.skip()
    return name
  }

  /// Whether the array has another element, which is then next.
  package mutating func nextElement() throws(JSONError) -> Bool { try goesOn(UInt8(ascii: "]")) }

  private mutating func goesOn(_ end: UInt8) throws(JSONError) -> Bool {
    parser.skipBlanks()
    defer { isFirst = false }
    if parser.next == end {
      parser.skip()
      return false
    }
    if !isFirst {
      guard parser.next == UInt8(ascii: ",") else {
        throw parser.error("expected ',' or '\(Character(Unicode.Scalar(end)))'")
      }
      parser.skip()
      parser.skipBlanks()
    }
    return true
  }

  /// The next value as a whole.
  package mutating func value() throws(JSONError) -> JSON {
    defer { isFirst = false }
    parser.skipBlanks()
    start = parser.position
    return try parser.value()
  }

  /// Goes on after an element of an array that `value` could not read; false at the text's end.
  package mutating func skipElement() -> Bool {
    guard let resumes = parser.passOver(from: start) else { return false }
    isFirst = resumes
    return true
  }
}
