/// Divisions made by hand.
extension Store {
  /// Makes a scheme's parts hold the named pictures, in one transaction.
  ///
  /// - Parameters:
  ///   - scheme: Its name; parts that are not given stay as they are.
  ///   - dataset: Whose pictures are meant.
  ///   - parts: Paths, or names without an extension where only one picture has that name.
  /// - Returns: For each part how many pictures it has now, and the names that nobody has.
  /// - Throws: `StoreError` when the database cannot be written.
  package func addScheme(
    _ scheme: String, to dataset: DatasetRecord, parts: [(part: String, names: [String])]
  ) throws -> [(part: String, members: Int, unknown: [String])] {
    try write { db in
      let writer = try DatasetWriter.open(dataset, replace: false, db)
      var rows: [ExactText: Int64] = [:]
      var byStem: [String: Int64?] = [:]
      for sample in writer.before {
        let (key, row) = (sample.key, sample.row)
        rows[ExactText(key)] = row
        let dot = key.lastIndex(of: ".") ?? key.endIndex
        let stem = String(key[..<dot])
        // Two pictures of that name: neither is meant.
        byStem[stem] = byStem[stem] == nil ? .some(row) : .some(nil)
      }
      return try parts.map { part, names in
        var members: [Int64] = []
        var unknown: [String] = []
        for name in names {
          if let row = rows[ExactText(name)] ?? byStem[name] ?? nil {
            members.append(row)
          } else {
            unknown.append(name)
          }
        }
        let distinct = Set(members).sorted()
        try writer.setMembers(scheme, part, distinct)
        return (part, distinct.count, unknown)
      }
    }
  }
}
