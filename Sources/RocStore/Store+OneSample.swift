import GRDB
import RocNames
import RocScore

/// Everything that is known about one picture, in one snapshot.
package struct SampleDetails: Sendable {
  /// What one run says about it.
  package struct Answer: Sendable {
    package let run: RunRecord
    package let prediction: PredictionRecord
  }

  /// A text that people wrote about it.
  package struct Comment: Sendable {
    package let source: String
    package let text: String
  }

  package let sample: SampleRecord
  package let dataset: DatasetRecord
  package let width: Int?
  package let height: Int?
  package let format: String?
  package let sha256: String?
  /// Further columns of the label files as a JSON object.
  package let extra: String?
  /// Names of numbered things, such as AVA's tags, by kind.
  package let vocabularies: [String: [Int: String]]
  package let splits: [SplitName]
  package let attributes: [(name: String, value: Double)]
  package let comments: [Comment]
  /// Those of the first comments that were read.
  package let commentCount: Int
  package let ratings: [(rater: String, score: Double)]
  /// By run.
  package let answers: [Answer]
}

extension Store {
  /// Comments and ratings that are read of a picture.
  private static let mostComments = 200

  /// A picture by its row.
  ///
  /// - Returns: Nil where there is none.
  package func details(sample id: Int64) throws -> SampleDetails? {
    try read { db in
      guard
        let row = try Row.fetchOne(
          db,
          sql: """
            SELECT dataset, width, height, format, sha256, extra FROM samples WHERE id = ?
            """, arguments: [id]),
        let sample = try SampleRecord.fetchOne(db, id: id)
      else { return nil }
      let owner: Int64 = row["dataset"]
      guard let dataset = try DatasetRecord.all(db).first(where: { $0.id == owner }) else {
        return nil
      }
      let comments = try Row.fetchAll(
        db,
        sql: """
          SELECT source, text FROM comments WHERE sample = ? ORDER BY source, position LIMIT ?
          """, arguments: [id, Self.mostComments])
      let ratings = try Row.fetchAll(
        db,
        sql: """
          SELECT raters.name, score FROM ratings JOIN raters ON raters.id = rater
          WHERE sample = ? ORDER BY raters.id, position
          """, arguments: [id])
      return SampleDetails(
        sample: sample, dataset: dataset, width: row["width"], height: row["height"],
        format: row["format"], sha256: row["sha256"], extra: row["extra"],
        vocabularies: try Self.vocabularies(of: owner, db),
        splits: try Self.splits(of: id, owner, db),
        attributes: try Row.fetchAll(
          db, sql: "SELECT name, value FROM attributes WHERE sample = ? ORDER BY name",
          arguments: [id]
        ).map { ($0["name"], $0["value"]) },
        comments: comments.map { .init(source: $0["source"], text: $0["text"]) },
        commentCount: try Int.fetchOne(
          db, sql: "SELECT count(*) FROM comments WHERE sample = ?", arguments: [id]) ?? 0,
        ratings: ratings.map { ($0["name"], $0["score"]) },
        answers: try Self.answers(about: id, of: owner, db))
    }
  }

  /// The picture's file and dataset, which is all that serving it takes.
  package func picturePath(sample id: Int64) throws -> String? {
    try read { db in
      try String.fetchOne(db, sql: "SELECT path FROM samples WHERE id = ?", arguments: [id])
    }
  }

  private static func vocabularies(
    of dataset: Int64, _ db: Database
  ) throws -> [String: [Int: String]] {
    var names: [String: [Int: String]] = [:]
    for row in try Row.fetchAll(
      db, sql: "SELECT kind, number, name FROM vocabularies WHERE dataset = ?",
      arguments: [dataset])
    {
      names[row["kind"], default: [:]][row["number"]] = row["name"]
    }
    return names
  }

  private static func splits(
    of sample: Int64, _ dataset: Int64, _ db: Database
  ) throws -> [SplitName] {
    let schemes = try Row.fetchAll(
      db, sql: "SELECT id, name FROM split_schemes WHERE dataset = ? ORDER BY name",
      arguments: [dataset])
    var found: [SplitName] = []
    for row in schemes {
      let scheme: Int64 = row["id"]
      // From part to part by the key of the table: listing all members would take as long as a page.
      var part: String? = try String.fetchOne(
        db, sql: "SELECT part FROM split_members WHERE scheme = ? ORDER BY part LIMIT 1",
        arguments: [scheme])
      while let name = part {
        let isMember = try Bool.fetchOne(
          db,
          sql: """
            SELECT EXISTS (SELECT 1 FROM split_members WHERE scheme = ? AND part = ? AND sample = ?)
            """, arguments: [scheme, name, sample])
        if isMember == true { found.append(SplitName(scheme: row["name"], part: name)) }
        part = try String.fetchOne(
          db,
          sql: """
            SELECT part FROM split_members WHERE scheme = ? AND part > ? ORDER BY part LIMIT 1
            """, arguments: [scheme, name])
      }
    }
    return found
  }

  private static func answers(
    about sample: Int64, of dataset: Int64, _ db: Database
  ) throws -> [SampleDetails.Answer] {
    let runs = try Row.fetchAll(
      db, sql: "SELECT * FROM runs WHERE dataset = ? ORDER BY id", arguments: [dataset]
    ).map(RunRecord.init)
    return try runs.compactMap { run in
      try Row.fetchOne(
        db, sql: "SELECT * FROM predictions WHERE run = ? AND sample = ?",
        arguments: [run.id, sample]
      ).map { .init(run: run, prediction: PredictionRecord(row: $0)) }
    }
  }
}
