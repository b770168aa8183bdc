import Foundation
package import GRDB
package import RocNames
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

extension ImageState {
  /// Compares bytes: making a string for each of a quarter of a million rows would take longer.
  fileprivate init(_ bytes: UnsafeBufferPointer<UInt8>) {
    switch bytes.first {
    case UInt8(ascii: "f"): self = .found
    case UInt8(ascii: "m"): self = .missing
    case UInt8(ascii: "r"): self = .readable
    default: self = bytes.count == 10 ? .unreadable : .unknown
    }
  }
}

/// One labelled picture.
package struct SampleRecord: Sendable {
  package let id: Int64
  /// The path in the label file; unique in its dataset.
  package let key: ImageKey
  package let path: String?
  package let imageState: ImageState
  package let imageReason: String?
  /// What is odd about the picture, such as `tiny`.
  package let imageFlags: [String]
  package let score: Double
  package let votes: [Int]?
  /// Further columns of the label files as a JSON object, where there are no votes.
  package let extra: String?

  private static let columns = """
    SELECT samples.id, key, path, image_state, image_reason, image_flags, gt_score, counts,
      CASE WHEN counts IS NULL THEN extra END FROM samples
    LEFT JOIN votes ON votes.sample = samples.id
    """

  init(_ row: RowReader) {
    id = row.integer(0)
    key = ImageKey(row.text(1) ?? "")
    path = row.text(2)
    imageState = row.bytes(3, ImageState.init) ?? .unknown
    imageReason = row.text(4)
    let flags = row.text(5) ?? ""
    imageFlags = flags.isEmpty ? [] : flags.split(separator: ",").map(String.init)
    score = row.real(6)
    votes = row.bytes(7, VoteText.decode)
    extra = row.text(8)
  }

  /// Not unique in some datasets.
  package var baseName: String { key.base }

  /// The sample of a row; nil where there is none.
  static func fetchOne(_ db: Database, id: Int64) throws -> SampleRecord? {
    let rows = try RowReader(
      db, "\(columns) WHERE samples.id = CAST(? AS INTEGER)", [String(id)])
    return try rows.next() ? SampleRecord(rows) : nil
  }

  /// The samples of a dataset, or of one part of it, in the order of their import.
  package static func fetch(
    _ db: Database, dataset: Int64, split: SplitName? = nil
  ) throws -> [SampleRecord] {
    let rows: RowReader
    if let split {
      rows = try RowReader(
        db,
        """
        \(columns) JOIN split_members ON split_members.sample = samples.id
        JOIN split_schemes ON split_schemes.id = split_members.scheme
        WHERE split_schemes.dataset = CAST(? AS INTEGER) AND split_schemes.name = ? AND part = ?
        ORDER BY samples.id
        """, [String(dataset), split.scheme, split.part])
    } else {
      rows = try RowReader(
        db, "\(columns) WHERE dataset = CAST(? AS INTEGER) ORDER BY samples.id",
        [String(dataset)])
    }
    var samples: [SampleRecord] = []
    while try rows.next() { samples.append(SampleRecord(rows)) }
    return samples
  }
}

/// Vote counts as the JSON array that `votes.counts` holds, `[0,1,5]`.
package enum VoteText {
  package static func encode(_ counts: [Int]) -> String {
    String(unsafeUninitializedCapacity: 2 + 21 * counts.count) { bytes in
      bytes[0] = UInt8(ascii: "[")
      var length = 1
      for (i, count) in counts.enumerated() {
        if i > 0 {
          bytes[length] = UInt8(ascii: ",")
          length += 1
        }
        length = write(count, to: bytes, at: length)
      }
      bytes[length] = UInt8(ascii: "]")
      return length + 1
    }
  }

  /// A JSON object of whole numbers, such as `{"index":1,"tag1":2}`.
  ///
  /// - Parameters:
  ///   - heads: What stands before each number, such as `{"index":` and `,"tag1":`.
  ///   - numbers: As many as there are heads.
  /// - Returns: The text.
  package static func encode(heads: [StaticString], numbers: [Int]) -> String {
    let capacity = heads.reduce(1) { $0 + $1.utf8CodeUnitCount + 20 }
    return String(unsafeUninitializedCapacity: capacity) { bytes in
      var length = 0
      for (head, number) in zip(heads, numbers) {
        head.withUTF8Buffer {
          for byte in $0 {
            bytes[length] = byte
            length += 1
          }
        }
        length = write(number, to: bytes, at: length)
      }
      bytes[length] = UInt8(ascii: "}")
      return length + 1
    }
  }

  /// Writes a number's digits; returns where they end.
  private static func write(
    _ number: Int, to bytes: UnsafeMutableBufferPointer<UInt8>, at start: Int
  ) -> Int {
    var end = start
    if number < 0 {
      bytes[end] = UInt8(ascii: "-")
      end += 1
    }
    let digits = end
    var rest = number.magnitude
    repeat {
      bytes[end] = 0x30 + UInt8(truncatingIfNeeded: rest % 10)
      rest /= 10
      end += 1
    } while rest > 0
    var low = digits
    var high = end - 1
    while low < high {
      bytes.swapAt(low, high)
      low += 1
      high -= 1
    }
    return end
  }

  package static func decode(_ text: String) -> [Int] {
    var text = text
    return text.withUTF8(decode)
  }

  static func decode(_ bytes: UnsafeBufferPointer<UInt8>) -> [Int] {
    var counts: [Int] = []
    counts.reserveCapacity(10)
    var value = 0
    var hasDigits = false
    for byte in bytes {
      if byte >= 0x30, byte <= 0x39 {
        value = value * 10 + Int(byte - 0x30)
        hasDigits = true
      } else if hasDigits {
        counts.append(value)
        value = 0
        hasDigits = false
      }
    }
    if hasDigits { counts.append(value) }
    return counts
  }
}

extension SampleRecord {
  /// What decoding a picture found.
  package struct ImageFacts: Sendable {
    let state: ImageState
    let reason: String?
    let width: Int?
    let height: Int?
    let format: String?
    let sha256: String?
    let perceptualHash: [UInt8]?
    /// Comma-separated.
    let flags: String

    package init(
      state: ImageState, reason: String?, width: Int?, height: Int?, format: String?,
      sha256: String?, perceptualHash: [UInt8]?, flags: String
    ) {
      self.state = state
      self.reason = reason
      self.width = width
      self.height = height
      self.format = format
      self.sha256 = sha256
      self.perceptualHash = perceptualHash
      self.flags = flags
    }
  }

  /// Stores what decoding the picture found.
  package static func setImage(_ db: Database, sample: Int64, _ facts: ImageFacts) throws {
    try db.cachedStatement(
      sql: """
        UPDATE samples SET image_state = ?, image_reason = ?, width = ?, height = ?, format = ?,
          sha256 = ?, perceptual_hash = ?, image_flags = ? WHERE id = ?
        """
    ).execute(arguments: [
      facts.state.rawValue, facts.reason, facts.width, facts.height, facts.format, facts.sha256,
      facts.perceptualHash.map { Data($0) }, facts.flags, sample,
    ])
  }
}
