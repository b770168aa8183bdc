import Foundation
import RocJSON
import RocMetrics
import RocTestSupport
import Testing

/// Held against scipy; `make_metrics.py` wrote the numbers.
struct MetricsTests {
  static let golden = try? Fixture.json(
    URL(fileURLWithPath: #filePath).deletingLastPathComponent()
      .appendingPathComponent("metrics.json").path)

  private func list(_ value: JSON?) -> [Double] { value?.array?.compactMap(\.double) ?? [] }

  @Test func equalsScipy() throws {
    let cases = try #require(Self.golden?["cases"]?.array)
    #expect(cases.count == 9)
    for item in cases {
      let name = try #require(item["name"]?.string)
      let pairs = ScoredPairs(predicted: list(item["predicted"]), truth: list(item["truth"]))
      let metrics = Metrics(pairs, threshold: item["threshold"]?.double ?? 5)
      #expect(averageRanks(pairs.predicted) == list(item["ranks"]))
      for key in ["srcc", "plcc", "krcc", "mae", "rmse", "accuracy"] {
        let expected = try #require(item[key]?.double)
        // scipy correlates two points, which are always on a line; that is no finding.
        if pairs.count < 3, key.hasSuffix("cc") {
          #expect(metrics[key]?.value == nil)
          continue
        }
        let found = try #require(metrics[key]?.value, "\(name) \(key)")
        // Large numbers lose digits in the mean already; the bound follows their size.
        let scale = ["mae", "rmse"].contains(key) ? max(1, abs(expected)) : 1
        let tolerance = name == "large numbers" && key == "plcc" ? 1e-6 : 1e-12 * scale
        #expect(abs(found - expected) <= tolerance, "\(name) \(key): \(found), \(expected)")
      }
    }
  }

  @Test func averagesEarthMoverDistancesOverImages() throws {
    let golden = try #require(Self.golden?["distributions"])
    let p = (golden["predicted"]?.array ?? []).map { list($0) }
    let q = (golden["truth"]?.array ?? []).map { list($0) }
    var pairs = ScoredPairs(predicted: p.map { $0[0] }, truth: q.map { $0[0] })
    pairs.distributions = zip(p, q).map { ($0, $1) }
    let metrics = Metrics(pairs, threshold: 0.1)
    for key in ["emd1", "emd2"] {
      let expected = try #require(golden[key]?.double)
      #expect(abs((metrics[key]?.value ?? 0) - expected) <= 1e-12)
    }
    #expect(earthMoverDistance([1, 0], [0, 1], power: 1) == 0.5)
    #expect(earthMoverDistance([1, 0], [0, 1], power: 2) == 0.5.squareRoot())
  }

  /// Solvers that stay where the customary start leads them do not reach these.
  @Test func findsTheBestFiveParameterCurveOnOtherScales() throws {
    let cases = try #require(
      try Fixture.json(
        URL(fileURLWithPath: #filePath).deletingLastPathComponent()
          .appendingPathComponent("fits.json").path
      ).array)
    #expect(cases.count == 4)
    for item in cases {
      let pairs = ScoredPairs(predicted: list(item["predicted"]), truth: list(item["truth"]))
      let found = try #require(Metrics.fitted(pairs).last?.value)
      let expected = try #require(item["plcc_logistic5"]?.double)
      #expect(abs(found - expected) <= 1e-6, "\(found), \(expected)")
    }
  }

  @Test func saysWhyThereIsNoValue() {
    let pair = Metrics(ScoredPairs(predicted: [1, 2], truth: [2, 3]), threshold: 2)
    #expect(pair["srcc"]?.value == nil && pair["krcc"]?.value == nil)
    #expect(pair["plcc"]?.reason == "fewer than three scored images")
    #expect(pair["mae"]?.value == 1)
    let level = Metrics(ScoredPairs(predicted: [4, 4, 4], truth: [2, 3, 4]), threshold: 2)
    #expect(level["srcc"]?.reason == "all predictions are equal")
    let large = Metrics(
      ScoredPairs(predicted: [1e300, 2, 3, 5], truth: [1, 2, 4, 3]), threshold: 2)
    #expect(large["rmse"]?.value == 5e299)
    #expect(large["mae"]?.analytic == nil)
    let small = Metrics(
      ScoredPairs(predicted: [2e-300, 2e-300, 4e-300], truth: [0, 0, 2e-300]), threshold: 2)
    #expect(abs((small["rmse"]?.value ?? 0) - 2e-300) < 1e-306)
    let most = Double.greatestFiniteMagnitude
    let huge = Metrics(ScoredPairs(predicted: [most, most, 1], truth: [1, 2, 3]), threshold: 2)
    #expect(huge["mae"]?.reason == "the values are too large for double precision")
    #expect(Metrics(ScoredPairs(), threshold: 2)["mae"]?.reason == "no scored images")
  }

  @Test func givesNoIntervalThatSaysNothing() {
    // All errors are alike: no resample has another mean.
    let pairs = ScoredPairs(predicted: [2, 3, 4, 5], truth: [1, 2, 3, 4])
    let mae = Metrics(pairs, threshold: 3, resamples: 200, seed: 1)["mae"]
    #expect(mae?.value == 1 && mae?.interval == nil)
    #expect(mae?.method == nil)
    let accuracy = Metrics(pairs, threshold: 9, resamples: 200, seed: 1)["accuracy"]
    #expect(accuracy?.value == 1 && accuracy?.method == "formula")
  }

  @Test func fitsTheCurvesAsMinpackDoes() throws {
    let golden = try #require(Self.golden?["fits"])
    let pairs = ScoredPairs(predicted: list(golden["predicted"]), truth: list(golden["truth"]))
    for metric in Metrics.fitted(pairs) {
      let expected = try #require(golden[metric.name]?.double)
      #expect(abs((metric.value ?? 0) - expected) <= 1e-6, "\(metric.name)")
    }
    let few = Metrics.fitted(ScoredPairs(predicted: [1, 2, 3], truth: [1, 2, 4]))
    #expect(few.allSatisfy { $0.value == nil && $0.reason != nil })
  }

  @Test func saysWhyAMetricIsUndefined() {
    let constant = Metrics(
      ScoredPairs(predicted: [1, 2, 3], truth: [4, 4, 4]), threshold: 5)
    for key in ["srcc", "plcc", "krcc"] {
      #expect(constant[key]?.value == nil)
      #expect(constant[key]?.reason == "all ground truths are equal")
    }
    #expect(constant["mae"]?.value == 2)
    #expect(constant["emd1"]?.reason == "no vote distributions on both sides")
    let single = Metrics(ScoredPairs(predicted: [1], truth: [2]), threshold: 5)
    #expect(single["srcc"]?.reason == "fewer than three scored images")
    #expect(single["mae"]?.value == 1)
    let none = Metrics(ScoredPairs(), threshold: 5)
    #expect(none.all.allSatisfy { $0.value == nil && $0.reason != nil })
    var uneven = ScoredPairs(predicted: [1, 2], truth: [2, 1])
    uneven.distributions = [([1], [1]), ([0.5, 0.5], [1])]
    #expect(Metrics(uneven, threshold: 5)["emd1"]?.value == nil)
  }

  @Test func givesIntervalsOfTheirFormulas() throws {
    // r = 0.5, n = 103: z ± 1.96 / 10.
    let pearson = try #require(Interval.pearson(0.5, count: 103))
    #expect(abs(pearson.low - tanh(atanh(0.5) - 0.1959963984540054)) < 1e-12)
    #expect(abs(pearson.high - tanh(atanh(0.5) + 0.1959963984540054)) < 1e-12)
    let spearman = try #require(Interval.spearman(0.5, count: 103))
    let wider = 0.1959963984540054 * (1.125).squareRoot()
    #expect(abs(spearman.low - tanh(atanh(0.5) - wider)) < 1e-12)
    // Wilson's example: 0 of 10 gives an upper end of z²/(n + z²).
    let wilson = try #require(Interval.share(0, count: 10))
    #expect(abs(wilson.low) < 1e-12)
    #expect(abs(wilson.high - 3.841458820694124 / 13.841458820694124) < 1e-12)
    let mean = try #require(Interval.mean([1, 2, 3, 4]))
    let half = 1.959963984540054 * (5.0 / 3 / 4).squareRoot()
    #expect(abs(mean.low - (2.5 - half)) < 1e-12 && abs(mean.high - (2.5 + half)) < 1e-12)
    #expect(Interval.pearson(1, count: 50) == nil)
    #expect(Interval.spearman(0.5, count: 3) == nil)
  }

  /// The intervals hold the truth about as often as they say.
  @Test func coversTheTruthInSimulation() {
    var state: UInt64 = 7
    func uniform() -> Double {
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return (Double(state >> 11) + 0.5) * 0x1p-53
    }
    func normal() -> Double { (-2 * log(uniform())).squareRoot() * cos(2 * .pi * uniform()) }
    let correlation = 0.6
    let rank = 6 / Double.pi * asin(correlation / 2)
    var hits = (pearson: 0, spearman: 0)
    let rounds = 1000
    for _ in 0..<rounds {
      let x = (0..<80).map { _ in normal() }
      let y = x.map { correlation * $0 + (1 - correlation * correlation).squareRoot() * normal() }
      let metrics = Metrics(ScoredPairs(predicted: x, truth: y), threshold: 0)
      if let i = metrics["plcc"]?.interval, i.low <= correlation, correlation <= i.high {
        hits.pearson += 1
      }
      if let i = metrics["srcc"]?.interval, i.low <= rank, rank <= i.high { hits.spearman += 1 }
    }
    // 95 % of 1,000 rounds, give or take four standard errors of 6.9.
    #expect(abs(hits.pearson - 950) <= 28)
    #expect(abs(hits.spearman - 950) <= 28)
  }
}
