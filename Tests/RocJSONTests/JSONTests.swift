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
    ("\"a\u{01}\"", "line 1, column 3: a control character inside a string"),
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

  /// What is read around broken records, with the lines of the errors.
  private func around(_ text: String) -> (found: [Int], errors: [Int]) {
    let bytes = Array(text.utf8)
    return bytes.withUnsafeBytes { buffer in
      var records = JSONRecords(buffer)
      var found: [Int] = []
      var errors: [Int] = []
      while errors.count < 100 {
        do throws(JSONError) {
          guard let record = try records.next() else { return (found, errors) }
          found.append(record["a"]?.int ?? -1)
        } catch {
          errors.append(error.line)
          if !records.skipRecord() { return (found, errors) }
        }
      }
      return (found, errors)
    }
  }

  @Test(arguments: [
    // A bad token, in one line and over several.
    ("[{\"a\": 1}, {\"a\": nope}, {\"a\": 3}]", [1, 3], [1]),
    ("[\n{\"a\": 1},\n{\"a\": 01},\n{\"a\": 3}\n]", [1, 3], [3]),
    ("[\n  {\n    \"a\": [{}, x]\n  },\n  {\n    \"a\": 2\n  }\n]", [2], [3]),
    // No end: the next line in the same column begins a record.
    ("[\n{\"a\": 1,\n{\"a\": 2}\n]", [2], [3]),
    ("[\n{\"a\": [1, {\"b\": 2},\n{\"a\": 2}\n]", [2], [4]),
    // A quotation mark is missing.
    ("[\n{\"a\": 1, \"b\": \"x},\n{\"a\": 2}\n]", [2], [2]),
    // Half of a surrogate pair, a comma too many, one too few, brackets of the other kind.
    ("[{\"a\": \"\\ud83d\"}, {\"a\": 2}]", [2], [1]),
    ("[{\"a\": 1}, ]", [1], [1]),
    ("[{\"a\": 1} {\"a\": 2}, {\"a\": 3}]", [1, 3], [1]),
    ("[{\"a\": [1}, {\"a\": 2}]", [2], [1]),
    ("[{\"a\": 1]]", [], [1, 1]),
    // The end is missing, or something follows it.
    ("[{\"a\": 1}, {\"a\"", [1], [1]),
    ("[{\"a\": 1}]]", [1], [1]),
  ])
  func goesOnAfterABrokenRecordOfAnArray(_ text: String, _ found: [Int], _ errors: [Int]) {
    let result = around(text)
    #expect(result.found == found && result.errors == errors)
  }

  @Test func neverHangsOnDamage() {
    let whole = "[\n{\"a\": [1, {\"b\": \"x\\\"y\"}]},\n{\"a\": 2}\n]"
    let bytes = Array(whole.utf8)
    for place in bytes.indices {
      for byte in [0x22, 0x7B, 0x7D, 0x5B, 0x5D, 0x2C, 0x5C, 0x0A, 0x00] as [UInt8] {
        var damaged = bytes
        damaged[place] = byte
        #expect(around(String(decoding: damaged, as: UTF8.self)).errors.count < 10)
        #expect(around(String(decoding: bytes[..<place], as: UTF8.self)).errors.count < 10)
      }
    }
  }

  @Test func namesAndTextsAreEqualByBytes() {
    let composed: JSON = ["\u{e9}": "\u{e9}"]
    let decomposed: JSON = ["e\u{301}": "e\u{301}"]
    #expect(composed != decomposed)
    #expect(composed["e\u{301}"] == nil && composed["\u{e9}"] != nil)
    #expect(composed["\u{e9}"] != decomposed["e\u{301}"])
    #expect(JSON.array([1, 2.5, .null, true]) == [1, 2.5, .null, true])
  }
}
