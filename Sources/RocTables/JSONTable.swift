import RocFiles
import RocJSON
import RocNames

/// JSON records as rows: members are columns.
///
/// An object whose values are objects, such as DeQA-Score's `mos.json`, is read as one record per
/// member, with the member's name in the first key column.
enum JSONTable {
  /// The names of the first record's members, then those that later records add.
  static func columns(
    _ file: MappedFile, name: String, keys: [String]
  ) throws(DataError) -> [String] {
    var names: [String] = []
    var known: Set<ExactText> = []
    let skipped = each(file, name: name, keys: keys) { _, _, record in
      for member in record.members ?? [] where known.insert(member.name) {
        names.append(member.name)
      }
    }
    if names.isEmpty, let first = skipped.first {
      throw DataError("\(name):\(first.line): \(first.reason)")
    }
    return names
  }

  /// Calls `body` with each record.
  static func eachRow(
    _ file: MappedFile, name: String, header: [String], keys: [String],
    _ body: (TableRow) -> Void
  ) -> [SetAsideLine] {
    each(file, name: name, keys: keys) { line, number, record in
      let values = Dictionary(
        (record.members ?? []).map { (ExactText($0.name), $0.value) },
        uniquingKeysWith: { a, _ in a })
      body(
        TableRow(
          line: line, fields: header.map { text(values[$0]) }, json: record, record: number))
    }
  }

  private static func text(_ value: JSON?) -> String {
    switch value {
    case nil, .null: ""
    case .string(let text): text
    case .double(let number) where !number.isFinite: "\(number)"
    case .some(let value): value.line
    }
  }

  private static func each(
    _ file: MappedFile, name: String, keys: [String],
    _ body: (_ line: Int, _ number: Int, JSON) -> Void
  ) -> [SetAsideLine] {
    file.withBytes { bytes in
      var reader = JSONRecords(bytes, readsNonFinite: true)
      var skipped: [SetAsideLine] = []
      var number = 0
      while true {
        do throws(JSONError) {
          guard let record = try reader.next() else { return skipped }
          number += 1
          guard let members = record.members else {
            skipped.append(
              SetAsideLine(
                file: name, line: reader.line, record: number,
                reason: "\(record.kind), expected an object",
                content: record.line))
            continue
          }
          let names = Set(members.map(\.name))
          let isByPicture =
            !members.isEmpty && !keys.contains(where: names.contains)
            && members.allSatisfy { $0.value.members != nil }
          guard isByPicture, let column = keys.first else {
            body(reader.line, number, record)
            continue
          }
          number -= 1
          for member in members {
            number += 1
            body(
              reader.line, number,
              .object([.init(column, .string(member.name))] + (member.value.members ?? [])))
          }
        } catch {
          let goesOn = reader.skipRecord()
          number += 1
          skipped.append(
            SetAsideLine(
              file: name, line: error.line, record: number,
              reason: "not JSON: \(error.reason)"
                + (goesOn ? "" : "; the rest of the file was not read"), content: ""))
          if !goesOn { return skipped }
        }
      }
    }
  }
}
