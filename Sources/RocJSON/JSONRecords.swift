/// The records of a file that holds one array, one object a line, or objects back to back.
///
/// Evaluation scripts that append with `json.dump` write objects without anything between them,
/// so all three are read by the same walk: values, and between them blanks and commas.
package struct JSONRecords {
  private var parser: JSONParser
  private var inArray = false
  private var isFirst = true
  /// After a broken record that ran into the next one, there is no comma to expect.
  private var isResumed = false
  private var hasEnded = false
  /// Where the last record read begins, or the text that should have separated it from the others.
  private var start = 0
  /// The line on which the last record begins, from 1.
  package private(set) var line = 1

  /// - Parameters:
  ///   - bytes: The file.
  ///   - readsNonFinite: Reads NaN and Infinity as numbers instead of refusing the file.
  package init(_ bytes: UnsafeRawBufferPointer, readsNonFinite: Bool = false) {
    parser = JSONParser(bytes, readsNonFinite: readsNonFinite)
  }

  /// The next record, or nil at the end.
  ///
  /// - Throws: `JSONError` with line and column; there is no record after an error unless
  ///   `skipRecord` goes on.
  package mutating func next() throws(JSONError) -> JSON? {
    guard !hasEnded else { return nil }
    do throws(JSONError) {
      let record = try read()
      if record == nil { hasEnded = true }
      return record
    } catch {
      hasEnded = true
      throw error
    }
  }

  /// Goes on after an error; false where nothing follows that may be a record.
  ///
  /// In an array the search for the next record begins where the broken one began. Elsewhere the
  /// next line that begins with a brace may be one: a record that lacks its end has swallowed the
  /// line after it.
  package mutating func skipRecord() -> Bool {
    if inArray {
      guard let resumes = parser.passOver(from: start) else { return false }
      isResumed = resumes
      hasEnded = false
      return true
    }
    parser.go(to: start)
    repeat {
      while let byte = parser.next, byte != 0x0A { parser.skip() }
      parser.skipBlanks()
    } while !parser.atEnd && parser.next != UInt8(ascii: "{")
    hasEnded = parser.atEnd
    return !hasEnded
  }

  private mutating func read() throws(JSONError) -> JSON? {
    parser.skipBlanks()
    start = parser.position
    if isFirst, parser.next == UInt8(ascii: "[") {
      inArray = true
      parser.skip()
      parser.skipBlanks()
      if parser.next == UInt8(ascii: "]") { return try end() }
    } else if !isFirst, inArray, !isResumed {
      switch parser.next {
      case UInt8(ascii: ","): parser.skip()
      case UInt8(ascii: "]"): return try end()
      default: throw parser.error("expected ',' or ']' after a record")
      }
    }
    isFirst = false
    isResumed = false
    if !inArray, parser.atEnd { return nil }
    parser.skipBlanks()
    line = parser.mark()
    start = parser.position
    return try parser.value()
  }

  private mutating func end() throws(JSONError) -> JSON? {
    inArray = false
    parser.skip()
    parser.skipBlanks()
    guard parser.atEnd else { throw parser.error("unexpected text after the array") }
    return nil
  }
}
