package import RocJSON
package import RocMetrics
import RocNames
package import RocReport
import RocScore
package import RocStore

/// The metrics of a stored run on one split, with everything that they depend on.
package struct RunResult {
  package let stored: StoredRun
  package let metrics: Metrics
  private let attributes: [(name: String, metrics: Metrics)]
  private let distances: DistributionMetrics?
  private let ceiling: NoiseCeiling?
  package let details: RunDetails
  private let resampling: Resampling

  package init(_ stored: StoredRun, in store: Store, _ resampling: Resampling) throws {
    self.stored = stored
    details = try RunDetails(store, stored)
    self.resampling = resampling
    let pairs = stored.pairs().pairs
    metrics = Metrics(
      pairs, threshold: stored.dataset.threshold, resamples: resampling.count,
      seed: resampling.seed)
    distances = DistributionMetrics(pairs.distributions)
    attributes = stored.run.targets.filter { $0 != StoredRun.holistic }.map { name in
      let own = stored.pairs(target: name).pairs
      return (
        name,
        Metrics(
          own, threshold: stored.passport(target: name).threshold,
          resamples: resampling.count, seed: resampling.seed)
      )
    }
    ceiling = stored.ceiling(seed: resampling.seed)
  }

  package var failures: [PredictionRecord] { stored.failures }

  package var caption: String {
    let dataset = stored.dataset
    let part =
      stored.isIncomplete ? "\(metrics.count) of \(stored.expected)" : "\(stored.expected)"
    let isMapped = stored.run.range != dataset.range
    let scores =
      isMapped ? "Scores mapped \(stored.scale)" : "Scores on the scale \(dataset.range.words)"
    let seen = stored.seen.map { " \($0.text)." }.joined()
    return """
      \(dataset.title), \(stored.split) (\(part) pictures). \(scores), PLCC on \
      raw values, accuracy of score > \(ScoreRange.short(dataset.threshold)), EMD with r = 1 averaged over \
      pictures. Precision \(stored.run.precision).\(seen)
      """
  }

  /// The object of `roc-eval --json`.
  package var json: JSON {
    let run = stored.run
    var protocolMembers = stored.passport().protocolJSON.members ?? []
    for place in protocolMembers.indices where protocolMembers[place].name == "scale" {
      protocolMembers[place] = JSON.Member("scale", .string(stored.scale))
    }
    protocolMembers.append(JSON.Member("ci95", .string(resampling.text(metrics))))
    return [
      "schema": "roc/run/1",
      "run": JSON(run.id.map { Int($0) }),
      "checkpoint": [
        "path": .string(run.checkpoint), "sha256": .string(run.checkpointSHA256),
      ],
      "dataset": .string(stored.dataset.name),
      "split": [
        "name": .string(stored.split.description), "sha256": .string(stored.splitSHA256),
        "n": .int(stored.expected),
      ],
      "question": .string(run.question),
      "protocol": .object(protocolMembers),
      "precision": .string(run.precision),
      "engine": .string(run.engine),
      "metrics": .object(metrics.all.map { JSON.Member($0.name, JSON($0.value)) }),
      "ci95": metrics.all.intervals(\.interval),
      "ci95_method": metrics.all.methods,
      "ci95_analytic": metrics.all.intervals(\.analytic),
      "bootstrap": resampling.json(metrics),
      "distributions": distances?.json ?? .null,
      "attributes": .object(
        attributes.map { name, metrics in
          JSON.Member(
            name,
            [
              "metrics": .object(metrics.all.map { JSON.Member($0.name, JSON($0.value)) }),
              "ci95": metrics.all.intervals(\.interval), "n_scored": .int(metrics.count),
            ])
        }),
      "themes": details.themes?.json ?? .null,
      "comments": details.comments?.json ?? .null,
      "noise_ceiling": ceiling.map {
        [
          "srcc": .double($0.srcc), "plcc": .double($0.plcc),
          "reliability": .double($0.reliability), "votes": .double($0.votes),
        ]
      } ?? .null,
      "trained_on": .array(stored.seen.map(\.json)),
      "reasons": metrics.all.reasons,
      "n_expected": .int(stored.expected),
      "n_scored": .int(metrics.count),
      "n_failed": .int(failures.count),
      "incomplete": .bool(stored.isIncomplete),
      "seconds": .double(stored.seconds),
      "images_per_second": stored.seconds > 0
        ? .double(Double(metrics.count) / stored.seconds) : .null,
    ]
  }

  /// The metrics as human-readable lines.
  package var text: String {
    var rows = [["metric", "value", "95 % interval"]]
    for metric in metrics.all {
      rows.append([
        metric.name, metric.value.map { fixed($0, 4) } ?? "–",
        metric.shownInterval,
      ])
    }
    for (name, own) in attributes {
      for key in ["srcc", "plcc"] {
        let metric = own[key]
        rows.append([
          "\(key) \(name)", metric?.value.map { fixed($0, 4) } ?? "–",
          metric?.shownInterval ?? "",
        ])
      }
    }
    let number = stored.run.id.map { ", run \($0)" } ?? ""
    var lines = [
      "\(stored.dataset.title) \(stored.split): \(stored.method)\(number)", Text.columns(rows),
    ]
    if let themes = details.themes {
      lines.append(
        """
        Mean over \(themes.averaged) themes: SRCC \(themes.average(\.srcc).map { fixed($0, 4) } ?? "–"), \
        PLCC \(themes.average(\.plcc).map { fixed($0, 4) } ?? "–")
        """)
    }
    if let comments = details.comments {
      let missing =
        comments.withoutComment > 0 ? ", \(comments.withoutComment) answers without one" : ""
      lines.append(
        "CIDEr of \(comments.count) comments against \(comments.source): \(fixed(comments.cider, 4))\(missing)"
      )
    }
    for seen in stored.seen { lines.append("Warning: \(seen.text)") }
    if let ceiling {
      lines.append(
        """
        \(fixed(ceiling.votes, 0)) votes a picture allow SRCC \(fixed(ceiling.srcc, 3)) and PLCC \
        \(fixed(ceiling.plcc, 3)) at most
        """)
    }
    lines.append(
      "\(metrics.count) of \(stored.expected) pictures scored, \(failures.count) failed")
    if stored.isIncomplete { lines.append("The metrics are over an incomplete split.") }
    return lines.joined(separator: "\n")
  }

  /// `image,gt_score,score,p1…pN,t1…tN`; the distributions only where both sides have them.
  package var csv: String {
    let (pairs, keys) = stored.pairs()
    let bins = pairs.distributions.first?.truth.count ?? 0
    let header =
      ["image", "gt_score", "score"] + (0..<bins).map { "p\($0 + 1)" }
      + (0..<bins).map { "t\($0 + 1)" }
    var text = header.joined(separator: ",") + "\n"
    for (place, key) in keys.enumerated() {
      var numbers = [pairs.truth[place], pairs.predicted[place]]
      if bins > 0 {
        numbers += pairs.distributions[place].predicted + pairs.distributions[place].truth
      }
      text +=
        ([Escaped.csv(key.text)] + numbers.map(\.description)).joined(separator: ",") + "\n"
    }
    return text
  }

  package var table: ReportTable {
    ReportTable(method: stored.method, metrics: metrics, caption: caption)
  }
}
