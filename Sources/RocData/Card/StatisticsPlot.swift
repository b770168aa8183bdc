package import RocReport
import RocScore
package import RocStore

/// Score and vote histograms of a dataset's parts.
package enum StatisticsPlot {
  private static let bins = 36

  /// - Parameters:
  ///   - dataset: Whose scale the axes show.
  ///   - parts: A title and the pictures of each.
  /// - Returns: A panel of scores for each part, and beside it one of votes where there are any.
  package static func plot(
    _ dataset: DatasetRecord, _ parts: [(title: String, samples: [SampleRecord])]
  ) -> HistogramPlot {
    var series: [HistogramPlot.Series] = []
    let hasVotes = parts.contains { $0.samples.contains { $0.votes != nil } }
    for (title, samples) in parts {
      series.append(scores(dataset, title, samples))
      if hasVotes { series.append(votes(dataset, title, samples)) }
    }
    return HistogramPlot(title: dataset.title, series: series)
  }

  private static func scores(
    _ dataset: DatasetRecord, _ title: String, _ samples: [SampleRecord]
  ) -> HistogramPlot.Series {
    let range = dataset.range
    var counts = [Int](repeating: 0, count: bins)
    for sample in samples {
      let place = (sample.score - range.low) / range.width * Double(bins)
      counts[Int(min(max(place, 0), Double(bins - 1)))] += 1
    }
    let edges = (0...bins).map {
      ScoreRange.short((range.low + range.width * Double($0) / Double(bins)).rounded(to: 2))
    }
    let summary = ScoreSummary(samples.map(\.score))
    let note = summary.map {
      "\(samples.count) pictures, mean \(fixed($0.mean, 3)), std \(fixed($0.deviation, 3))"
    }
    return .init(
      title: "\(title): gt_score", counts: counts, labels: edges,
      mean: summary.map { ($0.mean - range.low) / range.width },
      note: note ?? "no pictures")
  }

  private static func votes(
    _ dataset: DatasetRecord, _ title: String, _ samples: [SampleRecord]
  ) -> HistogramPlot.Series {
    let bins = dataset.bins ?? .init(count: 1, first: 1, step: 1)
    var sums = [Int](repeating: 0, count: bins.count)
    for sample in samples {
      for (bin, count) in (sample.votes ?? []).enumerated() where bin < sums.count {
        sums[bin] += count
      }
    }
    let histogram = VoteHistogram(counts: sums, first: bins.first, step: bins.step)
    let mean = histogram.mean.map {
      (($0 - bins.first) / bins.step + 0.5) / Double(bins.count)
    }
    return .init(
      title: "\(title): votes", counts: sums,
      labels: (0..<bins.count).map { ScoreRange.short(bins.first + Double($0) * bins.step) },
      mean: mean,
      note: "\(histogram.total) votes" + (histogram.mean.map { ", mean \(fixed($0, 3))" } ?? ""))
  }
}

extension Double {
  fileprivate func rounded(to decimals: Int) -> Double {
    let scale = decimals == 2 ? 100.0 : 1
    return (self * scale).rounded() / scale
  }
}
