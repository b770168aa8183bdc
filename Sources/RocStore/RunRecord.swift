package import GRDB
import RocNames
package import RocScore

/// One way of scoring a dataset: what decides the scores, except the kernel set.
package struct RunRecord: Sendable {
  package var id: Int64?
  package let dataset: Int64
  /// A hash over the checkpoint's content, question, preprocessing, precision, engine and targets
  /// beyond gt_score (`RunIdentity`).
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
  /// The network's name, such as `Qwen2-VL`; nil for runs of versions that knew only one.
  package var backbone: String?

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
    backbone = row["backbone"]
  }

  /// Finds the run with this fingerprint or adds it.
  ///
  /// - Returns: The row's id.
  package func findOrInsert(_ db: Database) throws -> Int64 {
    try db.execute(
      sql: """
        INSERT INTO runs (dataset, fingerprint, checkpoint, checkpoint_sha256, question,
          preprocessing, precision, engine, low, high, tokens, targets, backbone, started_at)
        VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, strftime('%Y-%m-%dT%H:%M:%SZ', 'now'))
        ON CONFLICT (dataset, fingerprint) DO NOTHING
        """,
      arguments: [
        dataset, fingerprint, checkpoint, checkpointSHA256, question, preprocessing, precision,
        engine, range.low, range.high, tokens, targets.joined(separator: ","), backbone,
      ])
    return try Int64.fetchOne(
      db, sql: "SELECT id FROM runs WHERE dataset = ? AND fingerprint = ?",
      arguments: [dataset, fingerprint]) ?? 0
  }

  /// All runs with their dataset's name and how many pictures they scored and failed on.
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
