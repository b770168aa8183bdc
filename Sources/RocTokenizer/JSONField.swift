import RocFiles
import RocJSON

/// A value of a JSON file that knows where it stands, so that a refusal names file and key.
struct JSONField {
  let file: String
  /// Names and indices on the way, with dots between them; empty for the whole file.
  let key: String
  /// Nil where there is no such member.
  let value: JSON?

  init(file: String, key: String = "", value: JSON?) {
    self.file = file
    self.key = key
    self.value = value
  }

  /// Reads a file that holds an object; nil where there is no such file.
  init?(path: String) throws(TokenizerError) {
    let file: MappedFile
    do throws(FileError) {
      file = try MappedFile(path: path)
    } catch {
      guard error.isMissing else { throw TokenizerError(error.description) }
      return nil
    }
    let value: JSON
    do throws(JSONError) {
      value = try file.withBytes { bytes throws(JSONError) in try JSON.parse(bytes) }
    } catch {
      throw TokenizerError("\(path) is not valid JSON: \(error)")
    }
    guard value.members != nil else {
      throw TokenizerError("\(path): holds \(value.kind), expected an object")
    }
    self.init(file: path, value: value)
  }

  /// An object's member.
  subscript(name: String) -> JSONField { child(name, value?[name]) }

  /// An object's member whose value is at hand: looking it up by name searches from the start.
  func child(_ name: String, _ value: JSON?) -> JSONField {
    JSONField(file: file, key: key.isEmpty ? name : "\(key).\(name)", value: value)
  }

  /// Missing or null.
  var isAbsent: Bool { value?.isNull ?? true }

  /// What is wrong with the value: where it is, what it is and what is expected.
  func refusal(_ expected: String) -> TokenizerError {
    TokenizerError("\(file): \(key) \(found), expected \(expected)")
  }

  private var found: String {
    guard let value else { return "is missing" }
    let line = value.line
    return line.utf8.count <= 300 ? "is \(line)" : "is \(value.kind) that is not shown"
  }

  func text() throws(TokenizerError) -> String {
    guard let text = value?.string else { throw refusal("a string") }
    return text
  }

  /// A string, or nil where the value is missing or null.
  func optionalText() throws(TokenizerError) -> String? { isAbsent ? nil : try text() }

  func flag(default preset: Bool) throws(TokenizerError) -> Bool {
    if isAbsent { return preset }
    guard let flag = value?.bool else { throw refusal("true or false") }
    return flag
  }

  /// A token's number: what 32 bits hold, as in the format's own reader.
  func id() throws(TokenizerError) -> Int {
    guard let id = value?.int, UInt32(exactly: id) != nil else {
      throw refusal("an id of 0 to \(UInt32.max)")
    }
    return id
  }

  func elements() throws(TokenizerError) -> [JSONField] {
    guard let array = value?.array else { throw refusal("an array") }
    return array.enumerated().map { child(String($0.offset), $0.element) }
  }

  func members() throws(TokenizerError) -> [(name: String, field: JSONField)] {
    guard let members = value?.members else { throw refusal("an object") }
    return members.map { ($0.name, child($0.name, $0.value)) }
  }

  /// Refuses an object that has members other than these.
  func expect(onlyKeys known: [String]) throws(TokenizerError) {
    for (name, field) in try members()
    where !known.contains(where: { $0.utf8.elementsEqual(name.utf8) }) {
      throw field.refusal("no such key")
    }
  }

  /// Refuses everything but one value; the members of objects may have any order.
  func expect(_ wanted: JSON) throws(TokenizerError) {
    switch wanted {
    case .object(let members):
      guard value?.members != nil else { throw refusal(wanted.line) }
      try expect(onlyKeys: members.map(\.name))
      for member in members { try self[member.name].expect(member.value) }
    case .array(let array):
      let fields = try elements()
      guard fields.count == array.count else { throw refusal(wanted.line) }
      for (field, element) in zip(fields, array) { try field.expect(element) }
    default:
      guard value == wanted else { throw refusal(wanted.line) }
    }
  }
}
