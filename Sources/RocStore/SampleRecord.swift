package import GRDB
import RocScore

/// What is known about the file of a sample.
package enum ImageState: String, Sendable {
  /// Nobody has looked.
  case unknown
  /// The file is there, not decoded yet.
  case found
  case missing
  /// Decoded fully.
  case readable
  case unreadable
}

/// One labelled picture.
package struct SampleRecord: Sendable {
  package let id: Int64
  /// The path in the label file; unique in its dataset.
  package let key: String
  /// Not unique in some datasets.
  package let baseName: String
  package let path: String?
  package let imageState: ImageState
  package let imageReason: String?
  package let score: Double
  package let votes: [Int]?

  init(row: Row) {
    id = row["id"]
    key = row["key"]
    baseName = row["base_name"]
    path = row["path"]
    imageState = ImageState(rawValue: row["image_state"]) ?? .unknown
    imageReason = row["image_reason"]
    score = row["gt_score"]
    let counts: String? = row["counts"]
    votes = counts.map(VoteText.decode)
  }

  /// The samples of a dataset, or of one part of it, in the order of their import.
  package static func fetch(
    _ db: Database, dataset: Int64, split: SplitName? = nil
  ) throws -> [SampleRecord] {
    let columns = """
      SELECT samples.id, key, base_name, path, image_state, image_reason, gt_score, counts FROM samples
      LEFT JOIN votes ON votes.sample = samples.id
      """
    guard let split else {
      return try Row.fetchAll(
        db, sql: "\(columns) WHERE dataset = ? ORDER BY samples.id", arguments: [dataset]
      ).map(SampleRecord.init)
    }
    return try Row.fetchAll(
      db,
      sql: """
        \(columns) JOIN split_members ON split_members.sample = samples.id
        JOIN split_schemes ON split_schemes.id = split_members.scheme
        WHERE split_schemes.dataset = ? AND split_schemes.name = ? AND part = ?
        ORDER BY samples.id
        """, arguments: [dataset, split.scheme, split.part]
    ).map(SampleRecord.init)
  }
}

/// Vote counts as the JSON array that `votes.counts` holds, `[0,1,5]`.
package enum VoteText {
  package static func encode(_ counts: [Int]) -> String {
    var text = "["
    for (i, count) in counts.enumerated() { text += i == 0 ? "\(count)" : ",\(count)" }
    return text + "]"
  }

  package static func decode(_ text: String) -> [Int] {
    text.utf8.split { $0 < 0x30 || $0 > 0x39 }.map { digits in
      digits.reduce(0) { $0 * 10 + Int($1) - 0x30 }
    }
  }
}

extension SampleRecord {
  /// Stores what decoding the picture found.
  package static func setImage(
    _ db: Database, sample: Int64, state: ImageState, reason: String?, width: Int?, height: Int?,
    sha256: String?
  ) throws {
    try db.cachedStatement(
      sql: """
        UPDATE samples SET image_state = ?, image_reason = ?, width = ?, height = ?, sha256 = ?
        WHERE id = ?
        """
    ).execute(arguments: [state.rawValue, reason, width, height, sha256, sample])
  }
}
