package import RocJSON
import RocNames
package import RocScore
package import RocStore

/// Counts and score statistics of a dataset or of one of its splits.
package struct Statistics: Sendable {
  package let dataset: String
  package let split: SplitName?
  package let count: Int
  /// Nil for an empty split.
  package let scores: ScoreSummary?
  /// All votes; nil where the dataset publishes none.
  package let votes: Int?
  /// Votes for each bin, summed over the pictures.
  package let histogram: [Int]?
  /// Attributes of its pictures, with their scales where the manifest states them.
  package private(set) var attributes: [Attribute] = []
  /// What its pictures are of, the most frequent first.
  package private(set) var themes: [(name: String, count: Int)] = []
  /// Of the whole dataset.
  package private(set) var raters: RaterCounts?

  package struct Attribute: Sendable {
    package let name: String
    package let scores: ScoreSummary
    package let count: Int
    package let range: ScoreRange?
  }

  package struct RaterCounts: Sendable {
    package let raters: Int
    package let ratings: Int
    /// Divisions of the raters.
    package let parts: [(scheme: String, part: String, count: Int)]
  }

  /// Adds what the database knows besides scores and votes.
  ///
  /// - Throws: The database's errors.
  package mutating func add(
    from store: Store, _ record: DatasetRecord, _ samples: [SampleRecord]
  ) throws {
    let manifest = try? Manifest(yaml: record.manifest, path: record.name)
    let names = try store.attributeNames(of: record).map(\.name)
    let values = try store.attributes(names, of: record)
    attributes = names.compactMap { name in
      let own = samples.compactMap { values[$0.id]?[name] }
      return ScoreSummary(own).map {
        Attribute(
          name: name, scores: $0, count: own.count,
          range: manifest?.range(of: name, variant: record.variant))
      }
    }
    let found = try Themes(store, record, samples: samples)
    var counts: [ExactText: Int] = [:]
    for sample in samples { for theme in found[sample.id] { counts[theme, default: 0] += 1 } }
    themes = counts.sorted { ($1.value, $0.key) < ($0.value, $1.key) }.map {
      ($0.key.text, $0.value)
    }
    let all = try store.raterCounts(of: record)
    if all.raters > 0 || !all.parts.isEmpty {
      raters = RaterCounts(raters: all.raters, ratings: all.ratings, parts: all.parts)
    }
  }

  package init(dataset: DatasetRecord, split: SplitName?, samples: [SampleRecord]) {
    self.dataset = dataset.name
    self.split = split
    count = samples.count
    scores = ScoreSummary(samples.map(\.score))
    guard let bins = dataset.bins, samples.contains(where: { $0.votes != nil }) else {
      votes = nil
      histogram = nil
      return
    }
    var sums = [Int](repeating: 0, count: bins.count)
    for sample in samples {
      for (bin, count) in (sample.votes ?? []).enumerated() where bin < sums.count {
        sums[bin] += count
      }
    }
    histogram = sums
    votes = sums.reduce(0, +)
  }

  /// The object of `stats --json`.
  package var json: JSON {
    [
      "schema": "roc/stats/1",
      "dataset": .string(dataset),
      "split": JSON(split?.description),
      "n": .int(count),
      "gt_score": scores?.json ?? .null,
      "votes": JSON(votes),
      "histogram": histogram.map { .array($0.map(JSON.int)) } ?? .null,
      "attributes": .array(
        attributes.map { attribute in
          [
            "name": .string(attribute.name), "n": .int(attribute.count),
            "values": attribute.scores.json,
            "range": attribute.range.map { [.double($0.low), .double($0.high)] } ?? .null,
          ]
        }),
      "themes": .object(themes.map { JSON.Member($0.name, .int($0.count)) }),
      "raters": raters.map { raters in
        [
          "raters": .int(raters.raters), "ratings": .int(raters.ratings),
          "parts": .object(
            raters.parts.map { JSON.Member("\($0.scheme)/\($0.part)", .int($0.count)) }),
        ]
      } ?? .null,
    ]
  }
}
