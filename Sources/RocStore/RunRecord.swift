package import GRDB
import RocNames
package import RocScore

/// One way of scoring a dataset: everything that decides the scores.
package struct RunRecord: Sendable {
  package var id: Int64?
  package let dataset: Int64
  /// A hash over all that follows.
  package let fingerprint: String
  package let checkpoint: String
  package let checkpointSHA256: String
  package let question: String
  package let preprocessing: String
  package let precision: String
  package let engine: String
  /// The scale of the model's scores.
  package let range: ScoreRange
  package let tokens: Int
  /// What each score of an answer stands for: `gt_score` or the name of an attribute.
  package let targets: [String]

  package init(
    dataset: Int64, fingerprint: String, checkpoint: String, checkpointSHA256: String,
    question: String, preprocessing: String, precision: String, engine: String,
    range: ScoreRange, tokens: Int, targets: [String] = ["gt_score"]
  ) {
    self.dataset = dataset
    self.fingerprint = fingerprint
    self.checkpoint = checkpoint
    self.checkpointSHA256 = checkpointSHA256
    self.question = question
    self.preprocessing = preprocessing
    self.precision = precision
    self.engine = engine
    self.range = range
    self.tokens = tokens
    self.targets = targets
  }

  init(row: Row) {
    id = row["id"]
    dataset = row["dataset"]
    fingerprint = row["fingerprint"]
    checkpoint = row["checkpoint"]
    checkpointSHA256 = row["checkpoint_sha256"]
    question = row["question"]
    preprocessing = row["preprocessing"]
    precision = row["precision"]
    engine = row["engine"]
    range = ScoreRange(low: row["low"], high: row["high"])
    tokens = row["tokens"]
    targets = (row["targets"] as String).pieces(",").filter { !$0.isEmpty }
  }

  /// Finds the run with this fingerprint or adds it.
  ///
  /// - Returns: The row's id.
  package func findOrInsert(_ db: Database) throws -> Int64 {
    try db.execute(
      sql: """
        INSERT INTO runs (dataset, fingerprint, checkpoint, checkpoint_sha256, question,
          preprocessing, precision, engine, low, high, tokens, targets, started_at)
        VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, strftime('%Y-%m-%dT%H:%M:%SZ', 'now'))
        ON CONFLICT (dataset, fingerprint) DO NOTHING
        """,
      arguments: [
        dataset, fingerprint, checkpoint, checkpointSHA256, question, preprocessing, precision,
        engine, range.low, range.high, tokens, targets.joined(separator: ","),
      ])
    return try Int64.fetchOne(
      db, sql: "SELECT id FROM runs WHERE dataset = ? AND fingerprint = ?",
      arguments: [dataset, fingerprint]) ?? 0
  }

  /// All runs with their dataset's name and how many pictures they scored and failed.
  package static func all(
    _ db: Database
  ) throws -> [(run: RunRecord, dataset: String, started: String, scored: Int, failed: Int)] {
    try Row.fetchAll(
      db,
      sql: """
        SELECT runs.*, datasets.name AS dataset_name,
          (SELECT count(*) FROM predictions WHERE run = runs.id AND error_code IS NULL) AS scored,
          (SELECT count(*) FROM predictions WHERE run = runs.id AND error_code IS NOT NULL)
            AS failed
        FROM runs JOIN datasets ON datasets.id = runs.dataset ORDER BY runs.id
        """
    ).map {
      (RunRecord(row: $0), $0["dataset_name"], $0["started_at"], $0["scored"], $0["failed"])
    }
  }
}

/// The file of a picture as it was when it was scored.
package struct PictureStamp: Sendable, Equatable {
  package let sha256: String
  package let bytes: Int
  /// Seconds since 1970.
  package let modified: Double

  package init(sha256: String, bytes: Int, modified: Double) {
    self.sha256 = sha256
    self.bytes = bytes
    self.modified = modified
  }
}

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

  /// Stores the prediction; one that failed before is replaced, and with `replaces` any.
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

/// Numbers as JSON arrays in text columns, with full precision.
enum NumberText {
  static func encode(_ values: [Double]) -> String {
    "[" + values.map(\.description).joined(separator: ",") + "]"
  }

  static func encode(rows: [[Double]]) -> String {
    "[" + rows.map(encode).joined(separator: ",") + "]"
  }

  static func decode(_ text: String) -> [Double] {
    text.split { "[], ".contains($0) }.compactMap { Double($0) }
  }

  static func decodeRows(_ text: String) -> [[Double]] {
    text.dropFirst().dropLast().split(separator: "]").map { decode(String($0)) }
  }
}
