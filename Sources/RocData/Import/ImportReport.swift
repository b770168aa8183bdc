package import RocJSON
package import RocNames
package import RocStore

/// What an import found.
package struct ImportReport: Sendable {
  package var dataset: String
  /// Label lines read, blank ones not counted.
  package var rows = 0
  /// Distinct pictures.
  package var images = 0
  package var skipped: [SetAsideLine] = []
  /// What else a user should know.
  package var notes: [String] = []
  package var duplicates = 0
  package var splits: [(scheme: String, part: String, count: Int)] = []
  package var unlabelled: [(list: String, count: Int)] = []
  package var scores: ScoreSummary?
  package var votes: Int?
  /// Keys of pictures that are not in the image folder; nil when nobody looked.
  package var missingImages: [ImageKey]?
  package var unreadableImages: Int?

  init(dataset: String) { self.dataset = dataset }

  /// The object of `import --json`.
  package var json: JSON {
    var schemes: [JSON.Member] = []
    for name in splits.map(\.scheme) where !schemes.contains(where: { $0.name == name }) {
      let parts = splits.filter { $0.scheme == name }.map { JSON.Member($0.part, .int($0.count)) }
      schemes.append(JSON.Member(name, .object(parts)))
    }
    return [
      "schema": "roc/import/1",
      "dataset": .string(dataset),
      "rows": .int(rows),
      "images": .int(images),
      "imported": .int(images),
      "skipped": .array(
        skipped.map {
          [
            "file": .string($0.file), "line": .int($0.line), "record": JSON($0.record),
            "reason": .string($0.reason),
          ]
        }
      ),
      "splits": .object(schemes),
      "unlabelled": .object(unlabelled.map { JSON.Member($0.list, .int($0.count)) }),
      "gt_score": scores?.json ?? .null,
      "votes": JSON(votes),
      "images_missing": JSON(missingImages?.count),
      "images_unreadable": JSON(unreadableImages),
      "duplicates": .int(duplicates),
    ]
  }
}
