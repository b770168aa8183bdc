import Foundation
import RocData
import RocNames
import RocScore
import RocStore
import RocTables
import RocTestSupport
import Testing

/// Datasets whose labels are tables, with made-up rows in the published layouts.
struct TableImporterTests {
  private func importing(
    _ dataset: String, _ files: [String: String], images: [String] = []
  ) throws -> (Store, ImportReport, TemporaryFolder) {
    let folder = try TemporaryFolder()
    for (name, text) in files { try folder.write(text, to: "source/\(name)") }
    for name in images { try folder.write("x", to: "images/\(name)") }
    let store = try Store(path: "\(folder.path)/roc.sqlite", creates: true)
    let importer = try TableImporter(
      try Manifest.bundled(dataset), source: "\(folder.path)/source")
    let pictures = images.isEmpty ? nil : try ImageFolder("\(folder.path)/images")
    let report = try importer.run(into: store, images: pictures, replace: false)
    return (store, report, folder)
  }

  private func counts(_ report: ImportReport) -> [String: Int] {
    Dictionary(
      uniqueKeysWithValues: report.splits.map { ("\($0.scheme)/\($0.part)", $0.count) })
  }

  private func attributes(_ store: Store, _ key: ImageKey) throws -> [String: Double] {
    try store.attributes(of: key, in: try store.dataset(nil))
  }

  @Test func readsBothDivisionsOfTAD66K() throws {
    let (store, report, _) = try importing(
      "tad66k",
      [
        "dataset/merge/train.csv": "image,score\r\na@1.jpg,2.85\r\nb.jpg,3.0\r\n",
        "dataset/merge/test.csv": "image,score\r\nc.jpg,9.46\r\nd.jpg,5\r\n",
        // Unmerge calls d a training picture and writes 3 for 3.0.
        "dataset/unmerge/train/sea.csv": "image,score\r\nb.jpg,3\r\nd.jpg,5\r\n",
        "dataset/unmerge/test/flower.csv": "image,score\r\nc.jpg,9.46",
      ])
    #expect(report.images == 4 && report.skipped.isEmpty && report.duplicates == 0)
    #expect(
      counts(report)
        == ["merge/train": 2, "merge/test": 2, "unmerge/train": 2, "unmerge/test": 1])
    let dataset = try store.dataset("tad66k")
    #expect(dataset.defaultScheme == "merge" && dataset.threshold == 5 && dataset.bins == nil)
    #expect(try store.samples(dataset, split: "test").samples.map(\.score) == [9.46, 5])
    #expect(report.votes == nil)
  }

  @Test func keepsPathsThatDifferOnlyInTheirFolder() throws {
    let (store, report, _) = try importing(
      "icaa17k",
      [
        "1train.csv": """
        ID,color,MOS,probability
        complementary/orange_blue/x.jpg,6.415993,4.64,0.66
        monochromatic\\white\\x.jpg,6.5,4.64,0.66
        """,
        "1test.csv": "ID,color,MOS,probability\nmonochromatic/red/x.jpg,3.5,2.0313067,0.5\n",
      ])
    #expect(report.images == 3)
    let dataset = try store.dataset("icaa17k")
    #expect(
      try store.samples(dataset).samples.map(\.key) == [
        "complementary/orange_blue/x.jpg", "monochromatic/white/x.jpg",
        "monochromatic/red/x.jpg",
      ])
    #expect(try attributes(store, "monochromatic/red/x.jpg") == ["MOS": 2.0313067])
  }

  @Test func joinsTheListsOfAADB() throws {
    let lists = "imgListFiles_label"
    let (store, report, _) = try importing(
      "aadb",
      [
        "\(lists)/imgListTrainRegression_score.txt": "a_b.jpg 0.3\nb_b.jpg 1.0\n",
        "\(lists)/imgListTrainRegression_DoF.txt": "b_b.jpg -0.8\na_b.jpg 0.2",
        "\(lists)/imgListTrainRegression_BalacingElements.txt": "a_b.jpg 0.0\n",
        "\(lists)/imgListTestNewRegression_score.txt": "c_b.jpg 0.5\n",
        "\(lists)/imgListValidationRegression_score.txt": "c_b.jpg 0.5\nd_b.jpg 0.25\n",
        "csv/imgListTrainRegression_.csv": "ImageFile,score\nother.jpg,0.1\n",
      ], images: ["train/a_b.jpg", "test/0.500_c_b.jpg"])
    #expect(report.images == 4)
    // A validation picture that is also a test picture stays in both, as published.
    #expect(
      counts(report) == [
        "official/train": 2, "official/val": 2, "official/test": 1, "clean/train": 2,
        "clean/val": 1, "clean/test": 1,
      ])
    #expect(try attributes(store, "a_b.jpg") == ["DoF": 0.2, "BalacingElements": 0])
    #expect(report.missingImages == ["b_b.jpg", "d_b.jpg"])
  }

  @Test func turnsSharesIntoCountsAndFindsTheScale() throws {
    let header = "image_name,c1,c2,c3,c4,c5,c_total,MOS,SD"
    let (store, report, _) = try importing(
      "koniq10k",
      [
        "koniq10k_distributions_sets.csv": """
        \(header),set
        a.jpg,0.0,0.0,0.238095238095,0.695238095238,0.0666666666667,105,77.38,0.52,training
        b.jpg,0.5,0.25,0.25,0,0,100,12.5,0.9,test
        c.jpg,0.5,0.25,0.25,0,0,100,12.5,0.9,holdout
        d.jpg,0.5,0.25,0.35,0,0,100,12.5,0.9,test
        """
      ])
    let dataset = try store.dataset("koniq10k")
    #expect(dataset.range == ScoreRange(low: 0, high: 100) && dataset.threshold == 50)
    let samples = try store.samples(dataset).samples
    #expect(samples[0].votes == [0, 0, 25, 73, 7] && samples[1].votes == [50, 25, 25, 0, 0])
    #expect(
      report.skipped.map(\.reason) == [
        "set is \"holdout\", expected one of test, training, validation",
        "votes sum to 1.1, expected 1 or c_total 100.0",
      ])

    let official = try importing(
      "koniq10k",
      [
        "koniq10k_scores_and_distributions.csv": """
        \(header),MOS_zscore
        "a.jpg",0,0,25,73,7,105,3.83,0.52,77.38
        """
      ])
    let record = try official.0.dataset("koniq10k")
    #expect(record.range == ScoreRange(low: 1, high: 5) && record.threshold == 3)
    #expect(try official.0.samples(record).samples[0].votes == [0, 0, 25, 73, 7])
  }

  @Test func dividesByRuleTheSameWayEveryTime() throws {
    let rows = (0..<50).map { "m_\($0).jpg,\"a prompt, with comma\",,,,2.5,0.2,0.4,0.6" }
    let text =
      "name,prompt,adj1,adj2,style,mos_quality,std_quality,mos_align,std_align\r\n"
      + rows.joined(separator: "\r\n")
    let (store, report, _) = try importing("agiqa3k", ["data.csv": text])
    // By each name's own hash: 12 of these 50 lie in the lower fifth.
    #expect(counts(report) == ["seeded/train": 38, "seeded/test": 12])
    let again = try importing("agiqa3k", ["copy/data.csv": text])
    let keys = try [store, again.0].map {
      try $0.samples(try $0.dataset(nil), split: "test").samples.map(\.key)
    }
    #expect(keys[0] == keys[1])
  }

  @Test func setsBadLinesAside() throws {
    let (_, report, _) = try importing(
      "baid",
      [
        "train_set.csv": """
        image,score
        a.jpg,5
        b.jpg,
        c.jpg,nan
        ,4
        d.jpg,4,5
        e.jpg,good
        a.jpg,6
        f.jpg," 7.25 "
        """,
        "test_set.csv": "image,score\na.jpg,5.0\n",
      ])
    #expect(report.images == 2 && report.rows == 9)
    #expect(
      report.skipped.map { "\($0.file):\($0.line) \($0.reason)" } == [
        "train_set.csv:3 score is empty, expected a number",
        "train_set.csv:4 score is \"nan\", expected a number",
        "train_set.csv:5 image is empty",
        "train_set.csv:6 3 fields, expected 2",
        "train_set.csv:7 score is \"good\", expected a number",
        "train_set.csv:8 a.jpg has the score 6.0 here and 5.0 in train_set.csv:2",
      ])
  }

  @Test func saysWhatIsMissing() throws {
    func refusal(_ dataset: String, _ files: [String: String]) -> DataError? {
      #expect(throws: DataError.self) { _ = try importing(dataset, files) }
    }
    let none = refusal("baid", ["readme.txt": "hello"])
    #expect(none?.isMissing == true)
    #expect(
      none?.message.hasSuffix(
        "none of train_set.csv, val_set.csv, test_set.csv; found readme.txt") == true)
    #expect(
      refusal("agiqa3k", ["x.csv": "a"])?.message.contains("none of data.csv; found x.csv") == true)
    let column = refusal("baid", ["test_set.csv": "picture,score\na,1\n"])
    #expect(
      column?.message == "test_set.csv: no column image; the columns are picture, score")
    let scale = refusal("baid", ["test_set.csv": "image,score\na,11\n"])
    #expect(
      scale?.message.contains("the score 11 is outside 0 to 10")
        == true)
    #expect(refusal("baid", ["test_set.csv": ""])?.message.contains("empty") == true)
  }

  @Test func takesAManifestOfOnesOwn() throws {
    let folder = try TemporaryFolder()
    try folder.write("file\trating\nx.png\t3\ny.png\t5\n", to: "album/list.tsv")
    let path = try folder.write(
      """
      name: album
      title: My album
      importer: table
      source: my own
      licence: mine
      citation: none
      score: {description: rating, low: 1, high: 5, direction: higher}
      images: {name: "{id}"}
      default_scheme: all
      tables: [{files: "*.tsv", format: blank, key: file, score: rating, part: all/test}]
      """, to: "album.yaml")
    let manifest = try Manifest.read(path)
    let store = try Store(path: "\(folder.path)/roc.sqlite", creates: true)
    let report = try TableImporter(manifest, source: "\(folder.path)/album")
      .run(into: store, images: nil, replace: false)
    #expect(report.images == 2 && counts(report) == ["all/test": 2])
    #expect(try store.dataset("album").threshold == 3)
  }
}
