package import RocJSON
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
    ]
  }
}
