import RocJSON
import Testing

struct JSONTests {
  @Test func readsEveryKindOfValue() throws {
    let text = """
      \u{FEFF}{"a": [1, -2.5, 1e3, 3.0], "b": "x\\n\\u00e9\\ud83d\\ude00\\"", "c": null, "d": true}
      """
    let value = try JSON.parse(text)
    #expect(value["a"] == [1, -2.5, 1000.0, 3.0])
    #expect(value["a"]?.array?.map(\.int) == [1, nil, 1000, 3])
    #expect(value["b"]?.string == "x\né😀\"")
    #expect(value["c"]?.isNull == true)
    #expect(value["d"]?.bool == true)
    #expect(value["e"] == nil)
  }

  @Test(arguments: [
    ("", "line 1, column 1: the text ends where a value is expected"),
    ("{\"a\": }", "line 1, column 7: unexpected '}', expected a value"),
    ("[1, 2", "line 1, column 6: expected ',' or ']' in the array"),
    ("[1]\n x", "line 2, column 2: unexpected text after the value"),
    ("[01]", "line 1, column 3: a number with a leading zero"),
    ("[1.]", "line 1, column 4: expected a digit"),
    ("[NaN]", "line 1, column 2: NaN is not a JSON number"),
    ("[-Infinity]", "line 1, column 3: Infinity is not a JSON number"),
    ("[1e999]", "line 1, column 7: the number 1e999 does not fit a double"),
    ("\"a\u{01}\"", "line 1, column 4: a control character inside a string"),
    ("\"\\ud800\"", "line 1, column 8: half of a surrogate pair"),
    ("\"\\x\"", "line 1, column 4: an unknown escape in a string"),
    ("{\"a\" 1}", "line 1, column 6: expected ':' after \"a\""),
    ("nul", "line 1, column 1: expected null"),
  ])
  func namesThePlaceOfAMistake(_ text: String, _ message: String) {
    let error = #expect(throws: JSONError.self) { try JSON.parse(text) }
    #expect(error?.description == message)
  }

  @Test func refusesNestingThatWouldExhaustTheStack() {
    let error = #expect(throws: JSONError.self) {
      try JSON.parse(String(repeating: "[", count: 1_000_000))
    }
    #expect(error?.reason == "nested deeper than 128 levels")
  }

  @Test func writesWhatItReads() throws {
    let value: JSON = [
      "text": "tab\t \"quote\" \\ é \u{7F}", "numbers": [0.1, 5.0, 1e-7, -3, 123_456_789_012],
      "nested": [["a": []], ["b": .null]],
    ]
    #expect(try JSON.parse(value.line) == value)
    #expect(try JSON.parse(value.pretty) == value)
    #expect(JSON(0.1 + 0.2).line == "0.30000000000000004")
  }

  @Test func neverWritesNotANumber() {
    #expect(JSON(Double.nan) == .null)
    #expect(JSON.double(.infinity).line == "null")
  }

  @Test(arguments: [
    "[{\"a\": 1}, {\"a\": 2}]", "{\"a\": 1}\n{\"a\": 2}\n", "{\"a\": 1}{\"a\": 2}",
    " [ {\"a\":1},\n{\"a\":2} ] ",
  ])
  func readsRecordsOfEveryArrangement(_ text: String) throws {
    let bytes = Array(text.utf8)
    let found = try bytes.withUnsafeBytes { buffer in
      var records = JSONRecords(buffer)
      var found: [Int] = []
      while let record = try records.next() { found.append(record["a"]?.int ?? -1) }
      return found
    }
    #expect(found == [1, 2])
  }

  /// The records up to the first error, and the error.
  private func records(
    _ text: String, readsNonFinite: Bool = false
  ) -> (found: [JSON], error: JSONError?) {
    let bytes = Array(text.utf8)
    return bytes.withUnsafeBytes { buffer in
      var records = JSONRecords(buffer, readsNonFinite: readsNonFinite)
      var found: [JSON] = []
      do throws(JSONError) {
        while let record = try records.next() { found.append(record) }
        return (found, nil)
      } catch {
        return (found, error)
      }
    }
  }

  @Test func stopsAtABrokenRecord() {
    let (found, error) = records("{\"a\": 1}\n{\"a\": ")
    #expect(found == [["a": 1]])
    #expect(error?.line == 2)
  }

  @Test func readsNonFiniteNumbersOnlyWhenAsked() {
    let text = "[NaN, Infinity, -Infinity]"
    let numbers = records(text, readsNonFinite: true).found.compactMap(\.double)
    #expect(numbers.count == 3 && numbers[0].isNaN)
    #expect(numbers.dropFirst() == [.infinity, -.infinity])
    #expect(records(text).error?.reason == "NaN is not a JSON number")
  }
}
