import GRDB
package import RocNames

/// What files say of pictures that nothing has scored yet: it is kept until their labels come, so
/// that files may come in any order.
extension DatasetWriter {
  /// One fact about a picture without labels.
  package struct Waiting: Sendable {
    package enum Kind: String, Sendable {
      case attribute
      case attributeVotes = "attribute_votes"
      case votes
      case extra
      case rating
      case part
    }

    package let key: ImageKey
    package let kind: Kind
    /// An attribute, a column, a place and a rater, or `scheme/part`.
    package let name: String
    /// A number, counts, or JSON.
    package let value: String

    package init(key: ImageKey, kind: Kind, name: String, value: String) {
      self.key = key
      self.kind = kind
      self.name = name
      self.value = value
    }
  }

  package func wait(_ fact: Waiting) throws {
    let insert = try bulk(
      """
      INSERT INTO waiting (dataset, key, kind, name, value) VALUES (?, ?, ?, ?, ?)
      ON CONFLICT DO UPDATE SET value = excluded.value
      """)
    insert.bind(dataset)
    insert.bind(fact.key.text)
    insert.bind(fact.kind.rawValue)
    insert.bind(fact.name)
    insert.bind(fact.value)
    try insert.run()
  }

  /// Everything that waits, by picture.
  package func waiting() throws -> [ImageKey: [Waiting]] {
    var result: [ImageKey: [Waiting]] = [:]
    let rows = try Row.fetchCursor(
      db, sql: "SELECT key, kind, name, value FROM waiting WHERE dataset = ?",
      arguments: [dataset])
    while let row = try rows.next() {
      guard let kind = Waiting.Kind(rawValue: row["kind"]) else { continue }
      let fact = Waiting(key: row["key"], kind: kind, name: row["name"], value: row["value"])
      result[fact.key, default: []].append(fact)
    }
    return result
  }

  /// Forgets what waited for pictures that are stored now.
  package func endWaiting() throws {
    try flushSamples()
    try db.execute(
      sql: """
        DELETE FROM waiting WHERE dataset = ?1 AND EXISTS
          (SELECT 1 FROM samples WHERE samples.dataset = ?1 AND samples.key = waiting.key)
        """, arguments: [dataset])
  }
}
