import RocJSON

extension JSON {
  /// The value with one member or element changed, added or, for nil, taken away.
  ///
  /// - Parameters:
  ///   - path: Names and indices that lead there.
  ///   - value: What is put there.
  /// - Returns: The changed value.
  func changing(_ path: [String], to value: JSON?) -> JSON {
    guard let first = path.first else { return value ?? .null }
    let rest = Array(path.dropFirst())
    func changed(_ old: JSON?) -> JSON? {
      rest.isEmpty ? value : (old ?? .object([])).changing(rest, to: value)
    }
    if case .array(var elements) = self, let index = Int(first) {
      let new = changed(index < elements.count ? elements[index] : nil)
      elements.replaceSubrange(
        min(index, elements.count)..<min(index + 1, elements.count), with: new.map { [$0] } ?? [])
      return .array(elements)
    }
    var members = self.members ?? []
    let index = members.firstIndex { $0.name == first } ?? members.count
    members.replaceSubrange(
      index..<min(index + 1, members.count),
      with: changed(self[first]).map { [Member(first, $0)] } ?? [])
    return .object(members)
  }
}
