package import RocNames
import RocScore
package import RocStore
package import RocTables

/// Ground truth by picture, for files of predictions that hold none.
///
/// `NameIndex` says which picture a name means.
package struct GroundTruth: Sendable {
  package struct Label: Sendable {
    package let key: ImageKey
    package let score: Double
    /// Of the votes.
    package let distribution: [Double]?
  }

  private let labels: [Label]
  private let index: NameIndex
  /// All pictures of the dataset, where the ground truth is that of one of its splits.
  private let all: NameIndex?
  private let allKeys: [ImageKey]
  /// The labels by their keys.
  private let exact: [ImageKey: Int]
  /// What the labels come from, for the passport.
  package let source: String

  /// - Parameters:
  ///   - samples: The pictures.
  ///   - dataset: Says which bins votes have.
  ///   - source: What the labels come from.
  ///   - all: All pictures of the dataset, where `samples` are a split of it.
  ///   - isLoose: Also takes names that differ in Unicode form, letter case or leading zeros.
  package init(
    _ samples: [SampleRecord], _ dataset: DatasetRecord, source: String, all: [SampleRecord]? = nil,
    isLoose: Bool = false
  ) {
    self.source = source
    let bins = dataset.bins
    labels = samples.map { sample in
      Label(
        key: sample.key, score: sample.score,
        distribution: sample.votes.flatMap {
          VoteHistogram(counts: $0, first: bins?.first ?? 1, step: bins?.step ?? 1).distribution
        })
    }
    index = NameIndex(labels.map(\.key), isLoose: isLoose)
    allKeys = all?.map(\.key) ?? []
    self.all = all == nil ? nil : NameIndex(allKeys, isLoose: isLoose)
    exact = Self.places(labels)
  }

  /// The labels of any file of predictions or of conversations: its `gt_score` by `image`.
  package init(path: String, isLoose: Bool = false) throws(DataError) {
    source = path
    var labels: [Label] = []
    var known: [ImageKey: Double] = [:]
    for entry in try PredictionFile.labels(path) {
      guard let image = entry.image.map(ImageKey.init), let truth = entry.truth else { continue }
      if let other = known[image] {
        guard other == truth else {
          throw DataError(
            "\(entry.place): \(image) has the gt_score \(truth), and \(other) earlier in the file"
          )
        }
        continue
      }
      known[image] = truth
      labels.append(Label(key: image, score: truth, distribution: entry.target))
    }
    guard !labels.isEmpty else {
      throw DataError("\(path): no picture with a gt_score in it", isMissing: true)
    }
    self.labels = labels
    all = nil
    allKeys = []
    exact = Self.places(labels)
    index = NameIndex(labels.map(\.key), isLoose: isLoose)
  }

  private static func places(_ labels: [Label]) -> [ImageKey: Int] {
    Dictionary(
      labels.enumerated().map { ($0.element.key, $0.offset) },
      uniquingKeysWith: { a, _ in a })
  }

  package var count: Int { labels.count }
  package var keys: [ImageKey] { labels.map(\.key) }

  package func label(_ image: String?) -> Label? {
    guard let image, let place = place(of: image) else { return nil }
    return labels[place]
  }

  /// Whether a name means a picture of the dataset that is not in the split.
  package func isOutside(_ image: String?) -> Bool {
    guard let image, let all, all.place(of: image) != nil else { return false }
    return place(of: image) == nil
  }

  /// The label that a name means.
  ///
  /// Whoever names a picture of the dataset means that one, in the split or not: a picture of the
  /// split that shares its base name is a different one.
  private func place(of image: String) -> Int? {
    guard let all, let key = all.place(of: image).map({ allKeys[$0] }) else {
      return index.place(of: image)
    }
    return exact[key]
  }

  /// Why a name means none of the pictures, where something can be said.
  package func hint(_ image: String?) -> String? { image.flatMap { index.hint($0) } }
}
