import RocNames

/// Divisions made by hand.
extension Store {
  /// Makes a scheme's parts hold the named pictures, in one transaction.
  ///
  /// - Parameters:
  ///   - scheme: Its name; parts that are not given stay as they are.
  ///   - dataset: Whose pictures are meant.
  ///   - parts: Names as `NameIndex` reads them.
  ///   - isLoose: Also takes names that differ in Unicode form, letter case or leading zeros.
  /// - Returns: For each part how many pictures it has now, and the names that no picture has.
  /// - Throws: `StoreError` when the database cannot be written.
  package func addScheme(
    _ scheme: String, to dataset: DatasetRecord, parts: [(part: String, names: [String])],
    isLoose: Bool = false
  ) throws -> [(part: String, members: Int, unknown: [(name: String, hint: String?)])] {
    try write { db in
      let writer = try DatasetWriter.open(dataset, replace: false, db)
      let pictures = writer.before.sorted { $0.key < $1.key }
      let index = NameIndex(pictures.map(\.key), isLoose: isLoose)
      return try parts.map { part, names in
        var members: [Int64] = []
        var unknown: [(name: String, hint: String?)] = []
        for name in names {
          if let place = index.place(of: name) {
            members.append(pictures[place].row)
          } else {
            unknown.append((name, index.hint(name)))
          }
        }
        let distinct = Set(members).sorted()
        try writer.setMembers(scheme, part, distinct)
        return (part, distinct.count, unknown)
      }
    }
  }
}
