import RocNames
import RocTables

/// Pictures that a source brings under keys other than those they are stored under.
///
/// Public collections ship the labels of others with paths of their own; with the original lists,
/// every picture would be there twice. The same base name with the same score gives them away.
struct SamePictures {
  private struct Known {
    let key: ImageKey
    let score: Double
    let file: FileName
  }

  private struct Group {
    var added = 0
    var again = 0
    var example = ""
  }

  private static let least = 10
  private static let share = 0.9
  private var known: [ExactText: Known] = [:]
  private var groups: [FileName: Group] = [:]
  private static let database = FileName("")

  private static func base(_ key: ImageKey) -> ExactText {
    ExactText(key.base.lowercased())
  }

  /// Takes a picture that is stored.
  mutating func store(_ key: ImageKey, _ score: Double) {
    known[Self.base(key)] = Known(key: key, score: score, file: Self.database)
  }

  /// Takes a picture of the source that is not stored under this key.
  mutating func add(_ key: ImageKey, _ score: Double, from file: FileName) {
    groups[file, default: Group()].added += 1
    guard let other = known[Self.base(key)] else {
      known[Self.base(key)] = Known(key: key, score: score, file: file)
      return
    }
    // Copies of labels may have fewer decimals.
    guard other.file != file, other.key != key,
      abs(other.score - score) <= 1e-3 * max(1, abs(score))
    else { return }
    groups[file, default: Group()].again += 1
    groups[file, default: Group()].example = "\(key) is \(other.key)"
  }

  /// - Throws: `DataError` when nearly all pictures of a file are known under other keys.
  func check(_ path: String) throws(DataError) {
    for (file, group) in groups.sorted(by: { $0.key < $1.key })
    where group.again >= Self.least && Double(group.again) >= Self.share * Double(group.added) {
      throw DataError(
        """
        \(path): \(group.again) of the \(group.added) pictures of \(file) are known under other names \
        with the same scores (\(group.example)): they would count twice. Leave this file out, or import \
        it as a dataset of its own with --name; --allow-same-names imports it all the same
        """, isUsage: true)
    }
  }
}
