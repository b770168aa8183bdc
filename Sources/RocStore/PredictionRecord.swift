package import GRDB

/// What a run says about one sample.
package struct PredictionRecord: Sendable {
  package let sample: Int64
  package let scores: [Double]
  package let distributions: [[Double]]
  package let text: String?
  package let errorCode: String?
  package let errorMessage: String?
  package let milliseconds: Double
  /// The file that it was made from.
  package var picture: PictureStamp?

  package init(
    sample: Int64, scores: [Double], distributions: [[Double]], text: String?,
    errorCode: String?, errorMessage: String?, milliseconds: Double
  ) {
    self.sample = sample
    self.scores = scores
    self.distributions = distributions
    self.text = text
    self.errorCode = errorCode
    self.errorMessage = errorMessage
    self.milliseconds = milliseconds
  }

  /// Whether the answers are alike.
  package func agrees(with other: PredictionRecord) -> Bool {
    scores == other.scores && distributions == other.distributions && text == other.text
      && errorCode == other.errorCode
  }

  init(row: Row) {
    sample = row["sample"]
    scores = NumberText.decode(row["scores"])
    distributions = NumberText.decodeRows(row["distributions"])
    text = row["text"]
    errorCode = row["error_code"]
    errorMessage = row["error_message"]
    milliseconds = row["milliseconds"]
    if let sha256: String = row["picture_sha256"] {
      picture = PictureStamp(
        sha256: sha256, bytes: row["picture_bytes"] ?? 0, modified: row["picture_modified"] ?? 0)
    }
  }

  /// Stores the prediction; one that failed before is replaced and, with `replaces`, any other.
  package func save(_ db: Database, run: Int64, replaces: Bool = false) throws {
    try db.cachedStatement(
      sql: """
        INSERT INTO predictions (run, sample, scores, distributions, text, error_code,
          error_message, milliseconds, picture_sha256, picture_bytes, picture_modified, written_at)
        VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
        ON CONFLICT (run, sample) DO UPDATE SET scores = excluded.scores,
          distributions = excluded.distributions, text = excluded.text,
          error_code = excluded.error_code, error_message = excluded.error_message,
          milliseconds = excluded.milliseconds, picture_sha256 = excluded.picture_sha256,
          picture_bytes = excluded.picture_bytes, picture_modified = excluded.picture_modified,
          written_at = excluded.written_at \(replaces ? "" : "WHERE error_code IS NOT NULL")
        """
    ).execute(arguments: [
      run, sample, NumberText.encode(scores), NumberText.encode(rows: distributions), text,
      errorCode, errorMessage, milliseconds, picture?.sha256, picture?.bytes, picture?.modified,
      Store.now,
    ])
  }

  /// The predictions of a run by sample.
  package static func of(run: Int64, _ db: Database) throws -> [Int64: PredictionRecord] {
    var result: [Int64: PredictionRecord] = [:]
    for row in try Row.fetchAll(
      db, sql: "SELECT * FROM predictions WHERE run = ?", arguments: [run])
    {
      let record = PredictionRecord(row: row)
      result[record.sample] = record
    }
    return result
  }
}
