import Foundation
import RocData
import RocJSON
import RocNames
import RocScore
import RocStore
import RocTestSupport
import Testing

struct LevelExportTests {
  /// Values that scipy gave for made-up votes; see `make_tables.py`.
  @Test func softLabelsEqualDeQAScores() throws {
    let golden = try JSON.parse(String(decoding: Fixture.table("soft_labels.json"), as: UTF8.self))
    let low = try #require(golden["low"]?.double)
    let high = try #require(golden["high"]?.double)
    var binary = 0
    for vector in golden["vectors"]?.array ?? [] {
      let votes = vector["votes"]?.array?.compactMap(\.int) ?? []
      let histogram = VoteHistogram(counts: votes)
      let mean = try #require(histogram.mean)
      let deviation = try #require(histogram.sampleDeviation)
      let label = SoftLabel(
        score: mean, deviation: deviation, range: ScoreRange(low: low, high: high),
        density: vector["density"]?.string == "cdf" ? .cdf : .pdf)
      func near(_ a: Double?, _ name: String) -> Bool {
        abs((a ?? .nan) - (vector[name]?.double ?? .nan)) <= 1e-12
      }
      func near(_ a: [Double]?, list name: String) -> Bool {
        let other = vector[name]?.array?.compactMap(\.double) ?? []
        return a?.count == 5 && zip(a ?? [], other).allSatisfy { abs($0 - $1) <= 1e-12 }
      }
      #expect(near(mean, "mos") && near(deviation, "std"))
      #expect(near(label.score, "norm") && near(label.deviation, "std_norm"))
      #expect(near(label.original, list: "org") && near(label.probabilities, list: "probs"))
      #expect(label.isBinary == vector["binary"]?.bool)
      if label.isBinary { binary += 1 }
    }
    #expect(golden["vectors"]?.array?.count == 81 && binary >= 3)
  }

  @Test func withoutADeviationTwoLevelsShareAll() {
    let label = SoftLabel(
      score: 2.25, deviation: nil, range: ScoreRange(low: 1, high: 5), density: .pdf)
    #expect(label.isBinary && label.original == nil)
    #expect(abs(label.probabilities[3] - 0.75) < 1e-7 && abs(label.probabilities[2] - 0.25) < 1e-7)
  }

  @Test(arguments: [
    (0.0, "bad"), (1.0, "bad"), (1.0001, "poor"), (2, "poor"), (3, "fair"), (4, "good"),
    (4.5, "excellent"), (5, "excellent"), (-1, "bad"), (9, "excellent"),
  ])
  func levelsAreFiveEqualIntervals(_ score: Double, _ word: String) {
    #expect(QualityLevel(score, in: ScoreRange(low: 0, high: 5)).word == word)
  }

  @Test func rebinningKeepsTheMean() throws {
    let histogram = VoteHistogram(counts: [3, 0, 1, 7, 2], first: 1, step: 1)
    let mean = try #require(histogram.mean)
    for count in [2, 3, 5, 9, 10, 33] {
      let shares = try #require(histogram.distribution(rebinnedTo: count))
      let width = 4 / Double(count - 1)
      let expected = shares.enumerated().reduce(0) {
        $0 + $1.element * (1 + Double($1.offset) * width)
      }
      #expect(shares.count == count && abs(shares.reduce(0, +) - 1) < 1e-12)
      #expect(abs(expected - mean) < 1e-12)
    }
  }

  private func koniq() throws -> (Store, TemporaryFolder) {
    let folder = try TemporaryFolder()
    var text = "image_name,c1,c2,c3,c4,c5,c_total,MOS,SD,set\n"
    for i in 0..<20 {
      let votes = [20 - i, 5, i % 3, 2, i]
      let set = i % 4 == 0 ? "test" : "training"
      text +=
        "p\(i).jpg,\(votes.map(String.init).joined(separator: ",")),\(votes.reduce(0, +)),\(Double(i) * 4.5 + 5),0.5,\(set)\n"
    }
    try folder.write(text, to: "k/koniq10k_distributions_sets.csv")
    let store = try Store(path: "\(folder.path)/a.sqlite", creates: true)
    _ = try TableImporter(try Manifest.bundled("koniq10k"), source: "\(folder.path)/k")
      .run(into: store, images: nil, replace: false)
    return (store, folder)
  }

  @Test func writesQAlignsRecordsWithoutDropping() throws {
    let (store, _) = try koniq()
    let dataset = try store.dataset("koniq10k")
    let samples = try store.samples(dataset, split: "train").samples
    let export = LevelExport(
      dataset: dataset, form: .qalign, task: .quality, questions: [],
      range: ScoreRange(low: 20, high: 80), deviations: [:])
    let (bytes, loss) = export.array(samples, isTest: false)
    #expect(loss.outside == 6 && (loss.srcc ?? 0) > 0.9)
    let records = try #require(try JSON.parse(String(decoding: bytes, as: UTF8.self)).array)
    #expect(records.count == samples.count)
    #expect(records[0]["id"] == "p1.jpg->9.5" && records[0]["gt_score"] == 9.5)
    let turns = records[0]["conversations"]?.array ?? []
    #expect(
      turns[0]["value"] == "What do you think about the quality of this image?\n<|image|>"
        && turns[1]["value"] == "The quality of the image is bad.")
    var lint = LevelLint(isDeQA: false, range: nil)
    bytes.withUnsafeBytes { lint.check(file: $0) }
    #expect(lint.errors.isEmpty && lint.warnings.isEmpty && lint.records == samples.count)
    #expect(bytes.withUnsafeBytes { RecordFormat.of($0) } == .qalign)
    let test = export.array(samples, isTest: true).bytes
    #expect(
      String(decoding: test, as: UTF8.self).contains(
        "\n{\"image\": \"p1.jpg\", \"gt_score\": 9.5},"))
  }

  @Test func writesDeQAScoresRecords() throws {
    let (store, _) = try koniq()
    let dataset = try store.dataset("koniq10k")
    let samples = try store.samples(dataset, split: "train").samples
    let scores = LevelExport.scores(samples, form: .deqa(.pdf), dataset: dataset)
    let range = ScoreRange(low: scores.min() ?? 0, high: scores.max() ?? 1)
    let (bytes, _) = LevelExport(
      dataset: dataset, form: .deqa(.pdf), task: .quality, questions: [], range: range,
      deviations: [:]
    ).array(samples, isTest: false)
    let first = try #require(try JSON.parse(String(decoding: bytes, as: UTF8.self)).array?.first)
    #expect(
      first.members?.map(\.name) == [
        "id", "image", "gt_score", "gt_score_norm", "level_probs_org", "level_probs", "std",
        "std_norm", "conversations",
      ])
    // The mean of the counts, not the file's z-score.
    #expect(first["gt_score"]?.double == VoteHistogram(counts: samples[0].votes ?? []).mean)
    #expect(bytes.withUnsafeBytes { RecordFormat.of($0) } == .deqa)
  }

  @Test func writesSeveralScoresOnOneScale() throws {
    let (store, _) = try koniq()
    let dataset = try store.dataset("koniq10k")
    let samples = Array(try store.samples(dataset).samples.prefix(1))
    let export = ConversationExport(
      dataset: dataset,
      attributes: [
        .init(name: "colorScore_mean", word: nil, range: ScoreRange(low: 0, high: 2)),
        .init(name: "BalacingElements", word: nil, range: ScoreRange(low: -1, high: 1)),
      ],
      values: [
        samples[0].id: [ExactText("colorScore_mean"): 1, ExactText("BalacingElements"): -1]
      ],
      scale: ScoreRange(low: 1, high: 10))
    let record = try #require(
      try JSON.parse(String(decoding: export.array(samples), as: UTF8.self)).array?.first)
    #expect(record["gt_score"]?.array?.compactMap(\.double) == [1.45, 5.5, 1])
    #expect(record["target"] == nil)
    let turns = record["conversations"]?.array ?? []
    #expect(
      turns[0]["value"] == "<|image|>Rate the quality, color and balacing elements of the image."
    )
    #expect(
      turns[1]["value"]?.string == """
        The quality rate of the image is [SCORE], the color rate of the image is [SCORE], \
        the balacing elements rate of the image is [SCORE].\u{20}
        """)
    var lint = ConversationLint(tokens: 10, range: ScoreRange(low: 1, high: 10))
    export.array(samples).withUnsafeBytes { lint.check(file: $0) }
    #expect(lint.errors.isEmpty)
  }

  @Test func drawsScoresAndWritesACard() throws {
    let (store, _) = try koniq()
    let dataset = try store.dataset("koniq10k")
    let card = try DatasetCard(store, dataset)
    let svg = card.svg
    _ = try XMLDocumentCheck(svg)
    #expect(svg.contains(">official/train: gt_score<") && svg.contains(">all: votes<"))
    #expect(svg.contains("mean 47.750"))
    let text = card.markdown(picture: "k.svg")
    #expect(text.contains("| official/train (default) | 15 |") && text.contains("](k.svg)"))
    #expect(text.contains("MIT for the label files") && text.contains("share no picture"))
    // sha256 of "p0.jpg\np12.jpg\np16.jpg\np4.jpg\np8.jpg\n".
    #expect(
      text.contains("`b6f643e35bdcb8258e050657e868f5f6e3d1c4b0a2ffb8bca49dfe425d820299`"))
  }

  @Test func softLabelsRunFromBadToGoodOnEveryScale() throws {
    let manifest = """
      name: dmos
      title: DMOS
      importer: table
      source: x
      licence: x
      citation: x
      score: {description: DMOS, low: 0, high: 100, direction: lower}
      images: {name: "{id}"}
      default_scheme: all
      tables:
        - {files: d.csv, key: image, score: dmos, attributes: [std], part: all/train}
      """
    let folder = try TemporaryFolder()
    let rows = (0..<20).map { "p\($0).jpg,\($0 * 5),12\n" }
    try folder.write("image,dmos,std\n" + rows.joined(), to: "s/d.csv")
    let store = try Store(path: "\(folder.path)/a.sqlite", creates: true)
    _ = try TableImporter(
      try Manifest(yaml: manifest, path: "dmos.yaml"), source: "\(folder.path)/s"
    ).run(into: store, images: nil, replace: false)
    let dataset = try store.dataset("dmos")
    let samples = try store.samples(dataset).samples
    let deviations = Dictionary(uniqueKeysWithValues: samples.map { ($0.id, 12.0) })
    for form in [LevelExport.Form.deqa(.pdf), .qalign] {
      let bytes = LevelExport(
        dataset: dataset, form: form, task: .quality, questions: [],
        range: ScoreRange(low: 0, high: 95), deviations: deviations
      ).array(samples, isTest: false).bytes
      let records = try JSON.parse(String(decoding: bytes, as: UTF8.self)).array ?? []
      #expect(records[0]["gt_score"] == 0.0)
      #expect(
        records[0]["conversations"]?.array?[1]["value"] == "The quality of the image is excellent.")
      if let norm = records[0]["gt_score_norm"] {
        #expect(norm == 5.0)
        let best = try #require(records[0]["level_probs"]?.array?.first?.double)
        let worst = try #require(records[0]["level_probs"]?.array?.last?.double)
        #expect(best > 0.5 && worst < 0.01)
      }
      var lint = LevelLint(isDeQA: form != .qalign, range: nil, isLowerBetter: true)
      bytes.withUnsafeBytes { lint.check(file: $0) }
      #expect(lint.errors.isEmpty)
      var strict = LevelLint(isDeQA: form != .qalign, range: nil)
      bytes.withUnsafeBytes { strict.check(file: $0) }
      // Q-Align's records do not say which end is good.
      #expect(strict.errors.isEmpty == (form != .qalign))
    }
  }

  @Test func mixesNoScales() throws {
    let folder = try TemporaryFolder()
    try folder.write(" a.jpg 0.25\n b.jpg 0.75\n", to: "s/FLICKR-AES_image_score.txt")
    try folder.write(
      "worker, imagePair, score\nW1, a.jpg, 2\nW2, a.jpg, 4\n",
      to: "s/FLICKR-AES_image_labeled_by_each_worker.csv")
    let store = try Store(path: "\(folder.path)/a.sqlite", creates: true)
    _ = try TableImporter(try Manifest.bundled("flickr-aes"), source: "\(folder.path)/s")
      .run(into: store, images: nil, replace: false)
    let dataset = try store.dataset("flickr-aes")
    let samples = try store.samples(dataset).samples
    let taken = samples.filter { LevelExport.takes($0, form: .deqa(.pdf), dataset: dataset) }
    #expect(samples.count == 2 && taken.map(\.key) == ["a.jpg"])
    #expect(samples.allSatisfy { LevelExport.takes($0, form: .qalign, dataset: dataset) })
  }
}

/// Whether tags open and close in order.
private struct XMLDocumentCheck {
  struct Broken: Error {}

  init(_ text: String) throws {
    var open: [Substring] = []
    for tag in text.matches(of: /<(\/?)([a-z]+)[^>]*?(\/?)>/) {
      if tag.1 == "/" {
        guard open.popLast() == tag.2 else { throw Broken() }
      } else if tag.3.isEmpty {
        open.append(tag.2)
      }
    }
    guard open.isEmpty else { throw Broken() }
  }
}
