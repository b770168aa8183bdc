import RocScore
package import RocStore

/// Ground truth by picture, for files of predictions that hold none.
///
/// A picture is found by its whole path, else by its base name, else by its name without the ending,
/// where only one picture has that.
package struct GroundTruth: Sendable {
  package struct Label: Sendable {
    package let key: String
    package let score: Double
    /// Of the votes.
    package let distribution: [Double]?
  }

  private var byKey: [String: Label] = [:]
  /// Nil for a name that several pictures have.
  private var byName: [String: Label?] = [:]
  /// What the labels come from, for the passport.
  package let source: String

  package init(_ samples: [SampleRecord], _ dataset: DatasetRecord, source: String) {
    self.source = source
    for sample in samples {
      let bins = dataset.bins
      add(
        Label(
          key: sample.key, score: sample.score,
          distribution: sample.votes.flatMap {
            VoteHistogram(counts: $0, first: bins?.first ?? 1, step: bins?.step ?? 1).distribution
          }))
    }
  }

  /// The labels of any file of predictions or of conversations: its `gt_score` by `image`.
  package init(path: String) throws(DataError) {
    source = path
    for entry in try PredictionFile.labels(path) {
      guard let image = entry.image, let truth = entry.truth else { continue }
      if let other = byKey[image], other.score != truth {
        throw DataError(
          "\(entry.place): \(image) has the gt_score \(truth), and \(other.score) earlier in the file"
        )
      }
      add(Label(key: image, score: truth, distribution: entry.target))
    }
    guard !byKey.isEmpty else {
      throw DataError("\(path): no picture with a gt_score in it", isMissing: true)
    }
  }

  package var count: Int { byKey.count }
  package var keys: [String] { Array(byKey.keys) }

  private mutating func add(_ label: Label) {
    byKey[label.key] = label
    for name in Self.names(label.key) {
      if let known = byName[name], known?.key != label.key {
        byName[name] = .some(nil)
      } else {
        byName[name] = .some(label)
      }
    }
  }

  /// A base name, and that without its ending.
  private static func names(_ key: String) -> Set<String> {
    let base = key.split(separator: "/").last.map(String.init) ?? key
    let dot = base.lastIndex(of: ".") ?? base.endIndex
    return [base, String(base[..<dot])]
  }

  package func label(_ image: String?) -> Label? {
    guard let image else { return nil }
    let path = String(image.map { $0 == "\\" ? "/" : $0 })
    if let label = byKey[path] { return label }
    let base = path.split(separator: "/").last.map(String.init) ?? path
    if let label = byName[base] { return label }
    let dot = base.lastIndex(of: ".") ?? base.endIndex
    return byName[String(base[..<dot])] ?? nil
  }
}
