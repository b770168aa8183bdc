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
      // Base names with and without their ending; two pictures of that name: neither is meant.
      var byName: [String: Int64?] = [:]
      for sample in writer.before {
        rows[ExactText(sample.key)] = sample.row
        let base = DatasetWriter.baseName(sample.key)
        let dot = sample.key.lastIndex(of: ".") ?? sample.key.endIndex
        let stem = base.lastIndex(of: ".").map { String(base[..<$0]) } ?? base
        for name in Set([String(sample.key[..<dot]), base, stem]) {
          byName[name] = byName[name] == nil ? .some(sample.row) : .some(nil)
        }
      }
      return try parts.map { part, names in
        var members: [Int64] = []
        var unknown: [String] = []
        for name in names {
          let path = String(name.map { $0 == "\\" ? "/" : $0 })
          if let row = rows[ExactText(path)] ?? byName[path] ?? nil {
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
