import Foundation
import GRDB
import RocData
import RocJSON
import RocNames
import RocScore
import RocStore
import RocTables
import RocTestSupport
import Testing

/// Names, numbers and damage that label files hold in the wild, with made-up contents.
struct ReadingTests {
  private let folder: TemporaryFolder
  private let store: Store

  init() throws {
    folder = try TemporaryFolder()
    store = try Store(path: "\(folder.path)/roc.sqlite", creates: true)
  }

  @discardableResult
  private func importing(
    _ dataset: String, _ files: [String: String], folder name: String = "source"
  ) throws -> ImportReport {
    for (file, text) in files { try folder.write(text, to: "\(name)/\(file)") }
    return try TableImporter(try Manifest.bundled(dataset), source: "\(folder.path)/\(name)")
      .run(into: store, images: nil, replace: false)
  }

  private func scores(_ dataset: String, split: String? = nil) throws -> [ImageKey: Double] {
    let record = try store.dataset(dataset)
    let samples =
      try split.map { try store.samples(record, split: $0).samples }
      ?? store.samples(record).samples
    return Dictionary(uniqueKeysWithValues: samples.map { ($0.key, $0.score) })
  }

  // MARK: names

  @Test func namesOfOtherBytesAreOtherPictures() throws {
    let report = try importing(
      "table", ["a.csv": "image,score\ncaf\u{E9}.jpg,1\ncafe\u{301}.jpg,2\n"])
    #expect(report.images == 2 && report.duplicates == 0 && report.skipped.isEmpty)
    let rows = try store.read {
      try Int.fetchAll($0, sql: "SELECT length(CAST(key AS BLOB)) FROM samples ORDER BY gt_score")
    }
    #expect(rows == [9, 10])
    let content = try store.content
    try importing("table", [:])
    #expect(try store.content == content)
  }

  @Test func setsNamesAsideThatAreNotUTF8() throws {
    var bytes = Array("image,score\nok.jpg,1\n".utf8)
    bytes += Array("caf".utf8) + [0xE9] + Array(".jpg,2\ncaf".utf8) + [0xE8]
    bytes += Array(".jpg,3\n".utf8)
    try folder.write(Data(bytes), to: "source/a.csv")
    let report = try importing("table", [:])
    #expect(report.images == 1 && report.skipped.map(\.line) == [3, 4])
    #expect(report.skipped[0].reason.hasPrefix("image is not UTF-8"))
  }

  @Test func aListIsNoName() throws {
    let report = try importing(
      "table",
      ["a.json": #"[{"image": ["a.jpg", "b.jpg"], "score": 1}, {"image": "c.jpg", "score": 2}]"#])
    #expect(try scores("table") == ["c.jpg": 2])
    #expect(report.skipped.map(\.reason) == ["image is an array, expected the name of one picture"])
  }

  @Test func idsAreTheSameWithAndWithoutDecimals() throws {
    let votes = """
      image_id=user_id=score=difficulty=visual=composition=quality=semantic=vote_time
      1992=E1=6=1=2=3=4=1=x
      1992.0=E2.0=8=1=2=3=4=1=x
      1992.5=E1=8=1=2=3=4=1=x
      """
    let report = try importing(
      "eva",
      [
        "votes_filtered.csv": votes,
        "users.csv":
          "id=age=region=photographic_level_id=gender_id=eyecheck\nE1=1992.0=1=2=1=\nE2=3",
      ])
    #expect(try scores("eva") == ["1992.jpg": 7, "1992.5.jpg": 8])
    #expect(report.skipped.map { "\($0.file) \($0.reason)" } == ["users.csv 2 fields, expected 6"])
  }

  // MARK: numbers and separators

  @Test func readsDecimalNumbersOnly() throws {
    let report = try importing(
      "table", ["a.csv": "image,score\na.jpg,0x10\nb.jpg,1e1\nc.jpg,inf\nd.jpg, 3. \n"])
    #expect(try scores("table") == ["b.jpg": 10, "d.jpg": 3])
    #expect(report.skipped.map(\.line) == [2, 4])
  }

  @Test(arguments: [
    "image;score, mean of five;gt_score\na.jpg;x;2\nb.jpg;y;3\n",
    "\" image \", \"gt_score\"\na.jpg,2\nb.jpg,3\n",
    "image\tgt_score\tnote\na.jpg\t2\tone, two\nb.jpg\t3\tthree, four\n",
  ])
  func tellsTheSeparatorByAllRows(_ text: String) throws {
    try importing("table", ["a.csv": text])
    #expect(try scores("table") == ["a.jpg": 2, "b.jpg": 3])
  }

  @Test func oneBrokenRecordCostsOneRecord() throws {
    let report = try importing(
      "table",
      [
        "a.json":
          #"[{"image": "a.jpg", "score": 1}, {"image": "b.jpg", "score": nil}, {"image": "c.jpg", "score": 3}]"#
      ])
    #expect(try scores("table") == ["a.jpg": 1, "c.jpg": 3])
    #expect(report.skipped.map(\.reason) == ["not JSON: expected null"])
  }

  // MARK: divisions

  @Test func aSecondSourceMovesNobody() throws {
    func table(_ range: Range<Int>) -> String {
      "image,score\n" + range.map { "p\($0).jpg,\(Double($0 % 50) / 10)\n" }.joined()
    }
    try importing("table", ["a.csv": table(0..<300)], folder: "one")
    let first = Set(try scores("table", split: "seeded/test").keys)
    let report = try importing("table", ["b.csv": table(300..<400)], folder: "two")
    let second = Set(try scores("table", split: "seeded/test").keys)
    #expect(first.isSubset(of: second) && second.count > first.count)
    #expect(try scores("table", split: "seeded/train").count + second.count == 400)
    let counts = report.splits.filter { $0.scheme == "seeded" }.map(\.count)
    #expect(counts.reduce(0, +) == 400)
    // About a fifth.
    #expect((40...120).contains(second.count))
  }

  @Test func groupsStayTogether() throws {
    let rows = (0..<40).map { "i\($0)_\($0 % 8).png,i\($0 / 8).png,\(1 + $0 % 4),0.1\n" }
    try importing("kadid10k", ["dmos.csv": "dist_img,ref_img,dmos,var\n" + rows.joined()])
    let test = Set(
      try scores("kadid10k", split: "seeded/test").keys.map {
        (Int($0.text.dropFirst().prefix { $0 != "_" }) ?? 0) / 8
      })
    let train = Set(
      try scores("kadid10k", split: "seeded/train").keys.map {
        (Int($0.text.dropFirst().prefix { $0 != "_" }) ?? 0) / 8
      })
    #expect(test.isDisjoint(with: train) && test.union(train).count == 5)
  }

  @Test func furtherFilesAddToParts() throws {
    func theme(_ name: String, _ pictures: String) -> [String: String] {
      ["unmerge/train/\(name).csv": "image,score\r\n\(pictures),5\r\n"]
    }
    try importing("tad66k", theme("flower", "a.jpg"), folder: "one")
    let report = try importing("tad66k", theme("moon", "b.jpg"), folder: "two")
    #expect(Set(try scores("tad66k", split: "unmerge/train").keys) == ["a.jpg", "b.jpg"])
    #expect(report.splits.map(\.count) == [2])
    // There is no merge, so a bare part means unmerge.
    #expect(try store.dataset("tad66k").defaultScheme == "unmerge")
    try importing("tad66k", ["merge/test.csv": "image,score\r\na.jpg,5.0\r\n"], folder: "three")
    #expect(try store.dataset("tad66k").defaultScheme == "merge")
  }

  @Test func listsAndRatingsMayComeLater() throws {
    try importing(
      "aadb",
      [
        "imgListTrainRegression_score.txt": "a.jpg 0.5\n",
        "imgListTestNewRegression_score.txt": "t.jpg 0.5\n",
      ], folder: "one")
    try importing(
      "aadb", ["imgListValidationRegression_score.txt": "t.jpg 0.5\nv.jpg 0.6\n"], folder: "two")
    #expect(Set(try scores("aadb", split: "clean/val").keys) == ["v.jpg"])
    try importing(
      "aadb", ["imgListTrainRegression_DoF.txt": "a.jpg -0.25\nother.jpg 1\n"], folder: "three")
    let own = try store.attributes(of: "a.jpg", in: store.dataset("aadb"))
    #expect(own == ["dof": -0.25] || own == ["DoF": -0.25])
    // Without the labels there is nothing to add to.
    let error = #expect(throws: DataError.self) {
      try importing(
        "flickr-aes",
        [
          "FLICKR-AES_image_labeled_by_each_worker.csv": "worker, imagePair, score\nW1, a.jpg, 2\n"
        ], folder: "four")
    }
    #expect(error != nil)
  }

  @Test func oneScoreOutsideTheScaleCostsOneLine() throws {
    let report = try importing(
      "baid",
      [
        "train_set.csv": "image,score\na.jpg,5\nb.jpg,11\n",
        "my_test.csv": "image,score\nc.jpg,6\n",
      ])
    #expect(try scores("baid") == ["a.jpg": 5, "c.jpg": 6])
    #expect(report.skipped.map { "\($0.file):\($0.line)" } == ["train_set.csv:3"])
    #expect(report.notes == ["my_test.csv was recognised by its columns and read as official/test"])
  }

  // MARK: pictures

  @Test func noPictureStandsForAnother() throws {
    let picture = try Data(contentsOf: URL(fileURLWithPath: Fixture.path("images/rgb_64x64.png")))
    for file in ["img/b/1.jpg", "img/flat.jpg", "img/x/two.jpg", "img/y/two.jpg"] {
      try folder.write(picture, to: file)
    }
    try folder.write(
      "image,score\na/1.jpg,1\nb/1.jpg,2\nold/flat.jpg,3\ntwo.jpg,4\n", to: "source/a.csv")
    let report = try TableImporter(try Manifest.bundled("table"), source: "\(folder.path)/source")
      .run(into: store, images: try ImageFolder("\(folder.path)/img"), replace: false)
    #expect(report.missingImages == ["a/1.jpg", "two.jpg"])
    #expect(report.notes.contains { $0.hasPrefix("1 pictures are there several times") })
    let paths = try store.samples(try store.dataset("table")).samples.compactMap(\.path)
    #expect(
      paths.map { $0.split(separator: "/").suffix(2).joined(separator: "/") } == [
        "b/1.jpg", "img/flat.jpg",
      ])
  }

  // MARK: files

  @Test func readsOldMacsLineEndsAndRefusesUTF16() throws {
    try importing("table", ["a.csv": "image,score\ra.jpg,1\rb.jpg,2\r"])
    #expect(try scores("table") == ["a.jpg": 1, "b.jpg": 2])
    let text = try #require("image,score\na.jpg,1\n".data(using: .utf16))
    try folder.write(text, to: "wide/a.csv")
    let error = #expect(throws: DataError.self) { try importing("table", [:], folder: "wide") }
    #expect(error?.message.contains("UTF-16") == true)
  }

  @Test func aManifestOfAFewLinesIsEnough() throws {
    let yaml = """
      name: mini
      score: {low: 0, high: 5}
      tables:
        - {files: mine.csv, key: pic, score: s}
      """
    try folder.write("pic,s\na.jpg,3\n", to: "source/mine.csv")
    _ = try TableImporter(
      try Manifest(yaml: yaml, path: "mini.yaml"), source: "\(folder.path)/source"
    )
    .run(into: store, images: nil, replace: false)
    let record = try store.dataset("mini")
    #expect(record.defaultScheme == "seeded" && record.higherIsBetter && record.title == "mini")
    let error = #expect(throws: DataError.self) {
      try Manifest(yaml: "name: x\nscore: {high: 5}\ntables: []\n", path: "x.yaml")
    }
    #expect(error?.message == "x.yaml: not a dataset manifest: score.low is missing")
  }

  @Test func aForeignMATFileIsNamedAndNoMore() throws {
    for name in ["AllImages_release.mat", "AllMOS_release.mat", "AllStdDev_release.mat"] {
      try folder.write(try Fixture.table(name), to: "source/\(name)")
    }
    try folder.write(Data("MATLAB 7.3 MAT-file, HDF5".utf8), to: "source/notes.mat")
    let report = try importing("live-c", [:])
    #expect(report.images > 0)
    #expect(report.skipped.map(\.file) == ["notes.mat"])
  }

  @Test func readsAADBsRawAnswers() throws {
    let url = "https://farm1.staticflickr.com/487/201_ae9_b.jpg"
    let other = "http://farm9.staticflickr.com/8/77_f00_b.jpg"
    let report = try importing(
      "aadb",
      [
        "imgListTrainRegression_score.txt":
          "farm1_487_201_ae9_b.jpg 0.5\nfarm9_8_77_f00_b.jpg 0.75\n",
        "result_csv.csv": """
        "WorkerId","Input.image_url1","Input.image_url2","Answer.overallScore1","Answer.overallScore2","Answer.Light1"
        "W1","\(url)","\(other)","4","5","Pos"
        "W2","\(other)","\(url)","1","x","n"
        "W3","nowhere","\(url)","1","2","n"
        """,
      ])
    #expect(report.images == 2)
    let ratings = try store.read {
      try String.fetchAll(
        $0,
        sql: """
          SELECT raters.name || ' ' || key || ' ' || score FROM ratings
          JOIN raters ON raters.id = rater JOIN samples ON samples.id = sample ORDER BY 1
          """)
    }
    #expect(
      ratings == [
        "W1 farm1_487_201_ae9_b.jpg 4.0", "W1 farm9_8_77_f00_b.jpg 5.0",
        "W2 farm9_8_77_f00_b.jpg 1.0", "W3 farm1_487_201_ae9_b.jpg 2.0",
      ])
    #expect(report.skipped.contains { $0.line == 3 && $0.reason.contains("\"x\"") })
    #expect(report.skipped.contains { $0.line == 4 && $0.reason.contains("nowhere") })
  }

  @Test func knowsFilesOfComments() throws {
    try folder.write(
      #"{"images": [{"imgid": 1, "sentences": [{"raw": "nice"}]}]}"#, to: "source/CLEAN.json")
    #expect(try Recognition.guess("\(folder.path)/source") == "ava-captions")
  }

  /// Spreadsheets put a byte order mark before the header.
  @Test(arguments: ["", "\u{FEFF}"])
  func knowsOtherDivisionsOfAVA(_ mark: String) throws {
    let columns = (2...11).map { "score\($0)" }.joined(separator: ",")
    try folder.write(
      "\(mark)image_id,\(columns),tag1,tag2,tag3\n12,0,0,2,0,0,0,0,0,2,0,1,22,1396\n",
      to: "source/test.csv")
    #expect(try Recognition.guess("\(folder.path)/source") == "ava")
  }

  // MARK: lists

  @Test(arguments: [
    ("my photo, final.jpg\nb.jpg\n", ["my photo, final.jpg", "b.jpg"]),
    ("12.jpg 1\n13.jpg 0\n", ["12.jpg", "13.jpg"]),
    ("12,0.1,0.9\n13,0.5,0.5\n", ["12", "13"]),
    ("image_id,score2\n12,4\n", ["12"]),
    ("score,image\n1,\"a, b.jpg\"\n2,c d.jpg\n", ["a, b.jpg", "c d.jpg"]),
    ("\u{FEFF}a.jpg\r\n\r\nb.jpg", ["a.jpg", "b.jpg"]),
    (
      #"[{"image_id": "7"}, {"image": "a b.jpg"}, "c.jpg", {"id": 9}]"#,
      ["7", "a b.jpg", "c.jpg", "9"]
    ),
    (#"{"train": ["a.jpg", "b.jpg"], "test": ["c.jpg"]}"#, ["a.jpg", "b.jpg"]),
  ])
  func readsNamesFromAnyList(_ text: String, _ names: [String]) throws {
    let path = try folder.write(text, to: "list.txt")
    #expect(try NameList.read(path, part: "train") == names)
  }
}
