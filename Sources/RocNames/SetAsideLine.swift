/// A line or a record of a file that was set aside.
package struct SetAsideLine: Sendable, Equatable {
  /// The file's path below the source folder.
  package let file: String
  /// From 1; for a record, the line on which it begins.
  package let line: Int
  /// The number of a record of a JSON file, from 1: a whole file may stand on one line.
  package let record: Int?
  package let reason: String
  /// The beginning of what stands there.
  package let content: String

  package init(file: String, line: Int, record: Int? = nil, reason: String, content: String) {
    self.file = file
    self.line = line
    self.record = record
    self.reason = reason
    self.content = String(content.prefix(400))
  }

  /// `labels.csv:7` or `labels.json:1, record 12`.
  package var place: String { "\(file):\(line)" + (record.map { ", record \($0)" } ?? "") }

  /// Lines for people, those with one reason in one file together.
  ///
  /// - Parameters:
  ///   - lines: In the order of the files.
  ///   - most: The most texts, not counting the one that counts the rest.
  /// - Returns: `labels.csv: lines 3, 4, 9, 12, 15 and 20 more: the score is empty`.
  package static func texts(_ lines: [SetAsideLine], most: Int) -> [String] {
    struct Key: Hashable {
      let file: ExactText
      let reason: ExactText
    }
    var order: [Key] = []
    var groups: [Key: [SetAsideLine]] = [:]
    for line in lines {
      let key = Key(file: ExactText(line.file), reason: ExactText(line.reason))
      if groups[key] == nil { order.append(key) }
      groups[key, default: []].append(line)
    }
    var texts = order.prefix(most).map { text(groups[$0] ?? []) }
    let rest = order.dropFirst(most).reduce(0) { $0 + (groups[$1]?.count ?? 0) }
    if rest > 0 { texts.append("… and \(rest) more for other reasons; table quarantine has all") }
    return texts
  }

  private static func text(_ group: [SetAsideLine]) -> String {
    guard let first = group.first else { return "" }
    guard group.count > 1 else { return "\(first.place): \(first.reason)" }
    let kind = first.record == nil ? "lines" : "records"
    let shown = group.prefix(5).map { String($0.record ?? $0.line) }.joined(separator: ", ")
    let rest = group.count > 5 ? " and \(group.count - 5) more" : ""
    return "\(first.file): \(kind) \(shown)\(rest): \(first.reason)"
  }
}
