package import RocJSON
package import RocMetrics
import RocNames
import RocScore

/// How intervals are resampled.
package struct Resampling: Sendable {
  /// Number of resamples; 0 keeps the intervals of the formulas.
  package let count: Int
  /// Decides the resamples.
  package let seed: UInt64

  package init(count: Int, seed: UInt64) {
    self.count = count
    self.seed = seed
  }

  package func json(_ metrics: Metrics) -> JSON {
    guard let count = metrics.resamples else { return .null }
    return [
      "method": "BCa", "resamples": .int(count),
      "resamples_krcc": .int(min(count, Bootstrap.mostKendall)), "seed": .string(String(seed)),
    ]
  }

  package func text(_ metrics: Metrics) -> String {
    metrics.resamples.map { "BCa intervals of \($0) resamples, seed \(seed)" }
      ?? "intervals by formula"
  }
}

extension [Metric] {
  /// Both ends by name, null where there are none.
  package func intervals(_ interval: (Metric) -> Interval?) -> JSON {
    .object(
      map { metric in
        JSON.Member(
          metric.name, interval(metric).map { [.double($0.low), .double($0.high)] } ?? .null)
      })
  }

  /// How the intervals of `ci95` were found, null where there is none.
  package var methods: JSON {
    .object(map { JSON.Member($0.name, JSON($0.method)) })
  }

  /// Why values are null.
  package var reasons: JSON {
    .object(compactMap { metric in metric.reason.map { JSON.Member(metric.name, .string($0)) } })
  }

  /// Names, values and intervals in columns.
  package var columns: String {
    var rows = [["metric", "value", "95 % interval"]]
    for metric in self {
      rows.append([
        metric.name, metric.value.map { fixed($0, 6) } ?? "–",
        metric.shownInterval,
      ])
    }
    return Text.columns(rows)
  }
}

extension Metric {
  /// The interval as text, with a word where a formula had to stand in; else why there is no value.
  package var shownInterval: String {
    guard let interval else { return reason ?? "" }
    let text = "[\(fixed(interval.low, 4)), \(fixed(interval.high, 4))]"
    return method == "formula" ? "\(text) by formula" : text
  }
}

extension DistributionMetrics {
  package var json: JSON {
    ["kl": JSON(kl), "js": .double(js), "crps": .double(crps), "reduction": "mean over images"]
  }

  package var text: String {
    "distributions: KL \(kl.map { fixed($0, 4) } ?? "infinite"), JS \(fixed(js, 4)), "
      + "CRPS \(fixed(crps, 4)) (means over images)"
  }
}

/// Metrics in words.
package enum MetricText {
  private static let definitions = [
    "srcc": "Pearson's correlation of average ranks", "plcc": "Pearson's correlation of raw values",
    "krcc": "Kendall's tau-b", "mae": "mean absolute error on the dataset's scale",
    "rmse": "root of the mean squared error",
    "accuracy": "share of pictures on the same side of the threshold",
    "emd1": "earth mover's distance, r = 1, per picture, then averaged",
    "emd2": "earth mover's distance, r = 2, per picture, then averaged",
  ]

  /// How a metric is defined, in one line; empty for an unknown name.
  package static func definition(_ name: String) -> String { definitions[name] ?? "" }
}
