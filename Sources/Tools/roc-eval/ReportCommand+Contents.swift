import Foundation
import RocEvaluation
import RocImage
import RocJSON
import RocMetrics
import RocNames
import RocReport
import RocScore
import RocStore

/// What stands on the page.
extension ReportCommand {
  func warnings(_ stored: StoredRun) -> [String] {
    var result = stored.seen.map { "\($0.text)." }
    if stored.isIncomplete {
      result.append(
        "\(stored.lines.count) of the \(stored.expected) pictures have a score; the numbers are over those."
      )
    }
    return result
  }

  func metrics(
    _ result: RunResult
  ) -> [(name: String, value: String, interval: String, note: String)] {
    result.metrics.all.map { metric in
      (
        metric.name.uppercased(), metric.value.map { fixed($0, 4) } ?? "–",
        metric.interval.map { "\(fixed($0.low, 4)) to \(fixed($0.high, 4))" }
          ?? metric.reason ?? "",
        MetricText.definition(metric.name)
      )
    }
  }

  func facts(_ result: RunResult) -> [(name: String, value: String)] {
    let stored = result.stored
    var facts = [
      ("dataset", stored.dataset.title + (stored.dataset.variant.map { " (\($0))" } ?? "")),
      ("split", "\(stored.split), \(stored.expected) pictures, SHA-256 \(stored.splitSHA256)"),
      ("scored, failed", "\(stored.lines.count), \(stored.failures.count)"),
      ("ground truth", "as stored, not rounded, on \(stored.dataset.range.words)"),
      ("scale map", stored.scale),
      ("threshold", "score > \(ScoreRange.short(stored.dataset.threshold)) on both sides"),
      ("checkpoint", "\(stored.run.checkpoint), SHA-256 \(stored.run.checkpointSHA256)"),
      ("question", stored.run.question), ("precision", stored.run.precision),
      ("engine", "roc \(stored.run.engine)"),
      ("intervals", bootstrap.resampling.text(result.metrics)),
    ]
    if let themes = result.details.themes {
      let means = [("SRCC", themes.average(\.srcc)), ("PLCC", themes.average(\.plcc))].map {
        "\($0.0) \($0.1.map { fixed($0, 4) } ?? "–")"
      }
      facts.append(
        (
          "within themes",
          "\(means.joined(separator: ", ")), means over \(themes.averaged) themes"
        ))
    }
    if let comments = result.details.comments {
      facts.append(
        (
          "comments",
          "CIDEr \(fixed(comments.cider, 4)) over \(comments.count) pictures, against \(comments.source)"
        ))
    }
    if let ceiling = stored.ceiling(seed: bootstrap.seed) {
      facts.append(
        (
          "noise ceiling",
          "SRCC \(fixed(ceiling.srcc, 3)), PLCC \(fixed(ceiling.plcc, 3)) with \(fixed(ceiling.votes, 0)) votes a picture"
        ))
    }
    return facts
  }

  /// The pictures with the largest errors, drawn small.
  func worst(_ stored: StoredRun) -> [ReportPage.Miss] {
    let sorted = stored.lines.sorted {
      let (a, b) = (abs($0.scores[0] - $0.sample.score), abs($1.scores[0] - $1.sample.score))
      return (b, $0.sample.key) < (a, $1.sample.key)
    }
    return sorted.prefix(misses).map { line in
      ReportPage.Miss(
        name: line.sample.key.text, predicted: fixed(line.scores[0], 2),
        truth: fixed(line.sample.score, 2),
        text: CommentMetrics.comment(of: line.text ?? ""),
        thumbnail: line.sample.path.flatMap(Self.thumbnail))
    }
  }

  static func thumbnail(_ path: String) -> String? {
    guard let picture = try? Picture.read(path) else { return nil }
    let scale = min(1, 320 / Double(max(picture.width, picture.height)))
    let small = picture.resized(
      width: max(1, Int(Double(picture.width) * scale)),
      height: max(1, Int(Double(picture.height) * scale)), filter: .bicubic)
    return Data(small.jpeg(quality: 82)).base64EncodedString()
  }
}
