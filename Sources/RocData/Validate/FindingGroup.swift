/// Findings that are alike but for the record they are in: said once, with the first few records.
package struct FindingGroup: Sendable, Equatable {
  package let field: String
  package let message: String
  /// 0 stands for the file.
  package private(set) var records: [Int]

  private struct Key: Hashable {
    let field: String
    let message: String
  }

  /// In the order of the first finding of each kind.
  package static func of(_ findings: [Finding]) -> [FindingGroup] {
    var places: [Key: Int] = [:]
    var groups: [FindingGroup] = []
    for finding in findings {
      let key = Key(field: finding.field, message: finding.message)
      if let place = places[key] {
        groups[place].records.append(finding.record)
      } else {
        places[key] = groups.count
        groups.append(
          FindingGroup(field: finding.field, message: finding.message, records: [finding.record]))
      }
    }
    return groups
  }

  /// Lines for people, one for each group; those after the first `most` are only counted.
  ///
  /// - Parameters:
  ///   - findings: All of them.
  ///   - most: The most lines, not counting the one that counts the rest.
  /// - Returns: `records 1, 2, 3, 4, 5 and 40 more: target: is missing`.
  package static func lines(_ findings: [Finding], most: Int) -> [String] {
    let groups = of(findings)
    var lines = groups.prefix(most).map(\.text)
    let rest = groups.dropFirst(most)
    if !rest.isEmpty {
      let count = rest.reduce(0) { $0 + $1.records.count }
      lines.append(
        "… and \(count) more in \(Set(rest.flatMap(\.records)).count) records; --json has all")
    }
    return lines
  }

  package var text: String {
    records == [0] ? "file: \(message)" : "\(place): \(field): \(message)"
  }

  /// Names the first few of the records that have it in common.
  private var place: String {
    guard records.count > 1 else { return "record \(records.first ?? 0)" }
    let shown = records.prefix(5).map(String.init).joined(separator: ", ")
    return "records \(shown)\(records.count > 5 ? " and \(records.count - 5) more" : "")"
  }
}
