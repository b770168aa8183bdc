import Foundation
import RocJSON
import RocMetrics
import RocTestSupport
import Testing

/// Resamples, intervals and paired tests, held against scipy where it has them.
struct BootstrapTests {
  private func list(_ value: JSON?) -> [Double] { value?.array?.compactMap(\.double) ?? [] }

  private func pairs(_ item: JSON) -> ScoredPairs {
    ScoredPairs(predicted: list(item["predicted"]), truth: list(item["truth"]))
  }

  /// Pairs with ties on both sides, and distributions.
  private func made(_ count: Int, seed: UInt64) -> ScoredPairs {
    var random = RandomStream(seed: seed)
    var pairs = ScoredPairs()
    for _ in 0..<count {
      let truth = (random.unit() * 20).rounded() / 2
      pairs.truth.append(truth)
      pairs.predicted.append(((truth + 2 * random.normal()) * 2).rounded() / 2)
      let p = (0..<5).map { _ in random.unit() }
      let q = (0..<5).map { _ in random.unit() }
      pairs.distributions.append(
        (p.map { $0 / p.reduce(0, +) }, q.map { $0 / q.reduce(0, +) }))
    }
    return pairs
  }

  @Test func leavesOneOutAsComputedAnew() throws {
    let cases = try #require(MetricsTests.golden?["left_out"]?.array)
    #expect(cases.count == 3)
    for item in cases {
      let jackknife = Jackknife(pairs(item), threshold: item["threshold"]?.double ?? 0)
      for name in ["srcc", "plcc", "krcc", "mae", "rmse", "accuracy"] {
        let expected = list(item["values"]?[name])
        #expect(expected.count == 60 && jackknife[name].count == 60)
        for (a, b) in zip(jackknife[name], expected) {
          #expect(abs(a - b) <= 1e-12, "\(name): \(a), \(b)")
        }
      }
    }
  }

  /// A resample's metrics are those of the list that it stands for.
  @Test(arguments: [3, 4, 17, 100]) func weighsAsRepetitionDoes(_ count: Int) {
    let data = made(count, seed: UInt64(count))
    let resampler = Resampler(data, threshold: 5)
    var room = Resampler.Workspace(resampler)
    for number in 0..<20 {
      var random = RandomStream(seed: 3, stream: number)
      var counts = [Int32](repeating: 0, count: count)
      random.resample(into: &counts)
      #expect(counts.reduce(0, +) == Int32(count))
      var repeated = ScoredPairs()
      for (i, times) in counts.enumerated() {
        for _ in 0..<times {
          repeated.predicted.append(data.predicted[i])
          repeated.truth.append(data.truth[i])
          repeated.distributions.append(data.distributions[i])
        }
      }
      let whole = Metrics(repeated, threshold: 5)
      let found = resampler.values(counts, &room)
      for name in Resampler.Values.names {
        guard let expected = whole[name]?.value else {
          #expect(found[name].isNaN)
          continue
        }
        #expect(abs(found[name] - expected) <= 1e-12, "\(name)")
      }
      let drawn = Bootstrap(data, threshold: 5, resamples: number + 1, seed: 3)
      let tau = drawn.kendall[number]
      if let expected = whole["krcc"]?.value {
        #expect(abs(tau - expected) <= 1e-12)
      } else {
        #expect(tau.isNaN)
      }
    }
  }

  @Test func findsTheEndsAsScipyDoes() throws {
    let golden = try #require(MetricsTests.golden?["intervals"])
    let interval = try #require(
      BCa.interval(
        estimate: golden["estimate"]?.double ?? 0, replicates: list(golden["replicates"]),
        jackknife: list(golden["jackknife"])))
    let ends = list(golden["ends"])
    #expect(abs(interval.low - ends[0]) <= 1e-12 && abs(interval.high - ends[1]) <= 1e-12)
    // Two bootstraps of 20,000 resamples differ by their draws: the ends by about a fiftieth of
    // the width.
    let metrics = Metrics(
      pairs(golden), threshold: golden["threshold"]?.double ?? 0, resamples: 20_000, seed: 1)
    for name in ["srcc", "plcc", "mae", "accuracy"] {
      let expected = list(golden["scipy"]?[name])
      let found = try #require(metrics[name]?.bootstrap)
      let width = expected[1] - expected[0]
      #expect(abs(found.low - expected[0]) < 0.04 * width, "\(name) \(found) \(expected)")
      #expect(abs(found.high - expected[1]) < 0.04 * width, "\(name) \(found) \(expected)")
    }
  }

  @Test func isDecidedByTheSeedAlone() {
    let data = made(50, seed: 9)
    let first = Metrics(data, threshold: 5, resamples: 500, seed: 4)
    let second = Metrics(data, threshold: 5, resamples: 500, seed: 4)
    let other = Metrics(data, threshold: 5, resamples: 500, seed: 5)
    #expect(first.all == second.all && first.all != other.all)
    #expect(first.resamples == 500 && Metrics(data, threshold: 5).resamples == nil)
    #expect(first.all.allSatisfy { $0.bootstrap != nil && $0.interval == $0.bootstrap })
  }

  @Test func givesNoIntervalWhereThereIsNone() {
    let constant = ScoredPairs(predicted: [1, 1, 1, 1], truth: [1, 2, 3, 4])
    let metrics = Metrics(constant, threshold: 2, resamples: 200, seed: 1)
    #expect(metrics["srcc"]?.value == nil && metrics["srcc"]?.interval == nil)
    #expect(metrics["mae"]?.bootstrap != nil)
    // Of two pairs nothing is resampled.
    let two = Metrics(
      ScoredPairs(predicted: [1, 2], truth: [1, 2]), threshold: 2, resamples: 200, seed: 1)
    #expect(two.resamples == nil && two.all.allSatisfy { $0.bootstrap == nil })
    #expect(BCa.interval(estimate: 1, replicates: [], jackknife: [1, 2]) == nil)
    #expect(
      BCa.interval(
        estimate: 1, replicates: Array(repeating: .nan, count: 100), jackknife: [1, 2]) == nil)
    // All replicates on one side have no bias to correct with.
    #expect(
      BCa.interval(estimate: 900, replicates: (0..<100).map(Double.init), jackknife: [1, 2]) == nil)
  }

  @Test func comparesCorrelationsOfTheSameImages() throws {
    for item in try #require(MetricsTests.golden?["dependent"]?.array) {
      let pair = DependentCorrelations(
        first: item["first"]?.double ?? 0, second: item["second"]?.double ?? 0,
        between: item["between"]?.double ?? 0, count: item["n"]?.int ?? 0, kind: .pearson)
      let steiger = try #require(pair.steiger)
      let zou = try #require(pair.zou)
      #expect(abs(steiger.z - (item["z"]?.double ?? 0)) <= 1e-10)
      #expect(abs(steiger.p - (item["p"]?.double ?? 0)) <= 1e-12)
      #expect(abs(zou.low - (item["low"]?.double ?? 0)) <= 1e-12)
      #expect(abs(zou.high - (item["high"]?.double ?? 0)) <= 1e-12)
    }
    let same = DependentCorrelations(
      first: 1, second: 0.5, between: 0.5, count: 10, kind: .pearson)
    #expect(same.steiger == nil && same.zou == nil)
  }

  @Test func testsAsScipyDoes() throws {
    let golden = try #require(MetricsTests.golden?["tests"])
    for item in golden["mcnemar"]?.array ?? [] {
      let p = McNemar.exact(item["first"]?.int ?? 0, item["second"]?.int ?? 0)
      #expect(abs(p - (item["p"]?.double ?? 0)) <= 1e-10)
    }
    #expect(McNemar.exact(0, 0) == 1)
    let adjusted = Holm.adjusted(list(golden["holm"]?["p"]))
    #expect(
      zip(adjusted, list(golden["holm"]?["adjusted"])).allSatisfy { abs($0 - $1) <= 1e-15 })
    for item in golden["normal"]?.array ?? [] {
      let (p, z) = (item["p"]?.double ?? 0, item["z"]?.double ?? 0)
      #expect(abs(NormalDistribution.quantile(p) - z) <= 1e-12 * max(1, abs(z)))
      #expect(abs(NormalDistribution.below(z) - p) <= 1e-12)
    }
    #expect(NormalDistribution.quantile(0) == -.infinity)
    let p = list(golden["distances"]?["p"])
    let q = list(golden["distances"]?["q"])
    #expect(abs(DistributionDistance.kl(p, q) - (golden["distances"]?["kl"]?.double ?? 0)) <= 1e-12)
    #expect(abs(DistributionDistance.js(p, q) - (golden["distances"]?["js"]?.double ?? 0)) <= 1e-12)
    #expect(
      abs(DistributionDistance.crps(p, q, step: 1) - (golden["distances"]?["crps"]?.double ?? 0))
        <= 1e-12)
    #expect(DistributionDistance.kl([1, 0], [0.5, 0.5]) == .infinity)
    #expect(DistributionDistance.js([1, 0], [0, 1]) == log(2))
  }

  @Test func findsADifferenceOnThePairs() throws {
    let good = made(200, seed: 2)
    var bad = good
    var random = RandomStream(seed: 11)
    bad.predicted = bad.predicted.map { $0 + 3 * random.normal() }
    let found = PairedComparison(good, bad, threshold: 5, resamples: 1000, seed: 1)
    #expect(found.count == 200 && found.differences.count == 7)
    let srcc = try #require(found.differences.first { $0.name == "srcc" })
    let interval = try #require(srcc.interval)
    let zou = try #require(srcc.analytic)
    #expect(srcc.difference > 0.1 && interval.low > 0 && zou.low > 0)
    // Two ways to the same interval.
    #expect(abs(interval.low - zou.low) < 0.1 && abs(interval.high - zou.high) < 0.1)
    #expect((srcc.bootstrap ?? 1) < 0.01 && (srcc.test?.p ?? 1) < 0.01)
    let accuracy = try #require(found.differences.first { $0.name == "accuracy" })
    #expect(
      abs(accuracy.difference - Double(found.onlyFirst - found.onlySecond) / 200) < 1e-12)
    #expect(accuracy.test?.name == "McNemar")
    let same = PairedComparison(good, good, threshold: 5, resamples: 200, seed: 1)
    #expect(same.differences.allSatisfy { $0.difference == 0 && $0.bootstrap == 1 })
  }

  @Test func boundsWhatNoisyMeansAllow() throws {
    // True means 1…9, with votes drawn around them.
    var random = RandomStream(seed: 5)
    var truth: [Double] = []
    var means: [Double] = []
    let votes = (0..<400).map { _ -> [Int] in
      let center = 3 + 4 * random.unit()
      truth.append(center)
      var counts = [Int](repeating: 0, count: 10)
      for _ in 0..<6 {
        counts[min(max(Int((center + 2 * random.normal()).rounded()) - 1, 0), 9)] += 1
      }
      means.append(Double(counts.enumerated().reduce(0) { $0 + ($1.offset + 1) * $1.element }) / 6)
      return counts
    }
    let ceiling = try #require(NoiseCeiling(votes, first: 1, step: 1, seed: 1))
    let reached = try #require(Correlation.pearson(truth, means))
    let ranked = try #require(Correlation.spearman(truth, means))
    #expect(abs(ceiling.plcc - reached) < 0.04 && abs(ceiling.srcc - ranked) < 0.04)
    #expect(ceiling.votes == 6 && abs(ceiling.reliability - ceiling.plcc * ceiling.plcc) < 1e-12)
    #expect(NoiseCeiling([[1, 0], [0, 1]], first: 1, step: 1, seed: 1) == nil)
    #expect(NoiseCeiling([[1, 1], [1, 1], [1, 1]], first: 1, step: 1, seed: 1) == nil)
  }

  @Test func saysHowManyImagesADifferenceNeeds() throws {
    func pair(_ between: Double?) -> CorrelationPower {
      CorrelationPower(0.832, 0.829, between: between, kind: .spearman)
    }
    let apart = try #require(pair(nil).images())
    let together = try #require(pair(0.95).images())
    #expect(together < apart)
    // The number found gives the chance that was asked for.
    for count in [(apart, nil), (together, 0.95)] as [(Int, Double?)] {
      let chance = try #require(pair(count.1).chance(count: count.0))
      #expect(abs(chance - 0.8) < 1e-3)
    }
    #expect(CorrelationPower(0.5, 0.5, between: nil, kind: .pearson).images() == nil)
    // Two independent samples, Pearson: n = 3 + 2 ((1.96 + 0.8416) / Δz)².
    let z = atanh(0.5) - atanh(0.3)
    let expected = 3 + 2 * pow((1.959963984540054 + 0.8416212335729143) / z, 2)
    #expect(
      CorrelationPower(0.5, 0.3, between: nil, kind: .pearson).images()
        == Int(expected.rounded(.up)))
  }
}
