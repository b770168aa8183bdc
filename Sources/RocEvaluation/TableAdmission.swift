package import RocData
import RocMetrics
import RocNames
import RocScore
import RocStore

/// Whether a run's numbers may stand beside the published ones of a dataset, and what must be said
/// about them if they do.
///
/// A dataset's name says little: what counts is whether the split holds the published pictures with
/// the published labels.
package struct TableAdmission: Sendable {
  /// How the run departs from the published protocol; empty lets it in.
  package private(set) var differences: [String] = []
  /// What the reader should know, although the numbers are comparable.
  package private(set) var remarks: [String] = []

  /// The share of pictures that may lack a score: the usual archives lack a few.
  private static let mostMissing = 0.01
  /// How far apart means of labels may be, as a share of the scale: copies may round to 2 decimals.
  private static let meanTolerance = 1e-3

  /// - Parameters:
  ///   - stored: The run on the split that is to be shown.
  ///   - paper: What the table calls the dataset.
  ///   - benchmark: What the published split is known by; what the bundled manifest says when nil.
  package init(_ stored: StoredRun, as paper: String, benchmark: Manifest.Benchmark? = nil) {
    let dataset = stored.dataset
    let own = try? Manifest(yaml: dataset.manifest, path: dataset.name)
    let bundled = own.flatMap { try? Manifest.bundled($0.name) }
    if dataset.isMadeUp {
      differences.append("\(dataset.title) is a made-up dataset, not \(paper)")
    }
    if let variant = dataset.variant, !dataset.isMadeUp {
      differences.append("labels of the copy \(variant)")
    }
    let standard = bundled?.defaultScheme ?? own?.defaultScheme ?? dataset.defaultScheme
    if stored.split.scheme != standard || stored.split.part != "test" {
      differences.append("on \(stored.split), not \(standard)/test")
    }
    if let benchmark = benchmark ?? bundled?.benchmark {
      compare(stored, with: benchmark, paper)
    } else {
      remarks.append(
        "\(paper): the publications do not say which pictures; these are \(stored.expected) of "
          + "\(stored.split)")
    }
    count(stored)
    if !dataset.higherIsBetter {
      differences.append("absolute values, low scores are good")
    }
    differences += stored.seen.map(\.text)
  }

  private mutating func compare(
    _ stored: StoredRun, with benchmark: Manifest.Benchmark, _ paper: String
  ) {
    let digests = [
      stored.splitSHA256, StoredRun.digest(stored.samples.map { ImageKey($0.baseName) }),
    ]
    if stored.expected != benchmark.pictures {
      differences.append(
        "\(stored.split) has \(stored.expected) pictures, that of \(paper) \(benchmark.pictures)")
    } else if let sha256 = benchmark.sha256, !digests.contains(sha256) {
      differences.append(
        "\(stored.split) holds other pictures than that of \(paper) (sha256 \(digests[0].prefix(12)))"
      )
    }
    let low = benchmark.low ?? stored.dataset.range.low
    let high = benchmark.high ?? stored.dataset.range.high
    guard stored.dataset.range == ScoreRange(low: low, high: high) else {
      differences.append(
        "labels on the scale \(stored.dataset.range), those of \(paper) on "
          + "\(ScoreRange(low: low, high: high))")
      return
    }
    guard let summary = ScoreSummary(stored.samples.map(\.score)) else { return }
    let tolerance = Self.meanTolerance * stored.dataset.range.width
    if abs(summary.mean - benchmark.mean) > tolerance {
      differences.append(
        "labels with the mean \(fixed(summary.mean, 4)), those of \(paper) have "
          + fixed(benchmark.mean, 4))
    }
  }

  private mutating func count(_ stored: StoredRun) {
    let without = stored.expected - stored.lines.count
    guard without > 0 else { return }
    let isMost = Double(without) > Self.mostMissing * Double(stored.expected)
    let failed = stored.failures.count
    if isMost || failed < without {
      differences.append("over \(stored.lines.count) of \(stored.expected) pictures")
    } else {
      remarks.append(
        "\(stored.dataset.title): \(without) of \(stored.expected) pictures are missing or have no score"
      )
    }
  }
}
