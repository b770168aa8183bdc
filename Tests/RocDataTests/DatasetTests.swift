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

/// Datasets with ratings, workbooks, MATLAB files, folders and JSON records, in the published
/// layouts with made-up contents.
struct DatasetTests {
  private let folder: TemporaryFolder
  private let store: Store

  init() throws {
    folder = try TemporaryFolder()
    store = try Store(path: "\(folder.path)/roc.sqlite", creates: true)
  }

  @discardableResult
  private func importing(
    _ dataset: String, _ files: [String: String], fixtures: [String] = []
  ) throws -> ImportReport {
    for (name, text) in files { try folder.write(text, to: "\(dataset)/\(name)") }
    for name in fixtures { try folder.write(try Fixture.table(name), to: "\(dataset)/\(name)") }
    return try again(dataset)
  }

  private func again(_ dataset: String) throws -> ImportReport {
    try TableImporter(try Manifest.bundled(dataset), source: "\(folder.path)/\(dataset)")
      .run(into: store, images: nil, replace: false)
  }

  private func counts(_ report: ImportReport) -> [String: Int] {
    Dictionary(
      uniqueKeysWithValues: report.splits.map { ("\($0.scheme)/\($0.part)", $0.count) })
  }

  private func scores(_ dataset: String) throws -> [ImageKey: Double] {
    let samples = try store.samples(try store.dataset(dataset)).samples
    return Dictionary(uniqueKeysWithValues: samples.map { ($0.key, $0.score) })
  }

  private func votes(_ dataset: String) throws -> [ImageKey: [Int]] {
    let samples = try store.samples(try store.dataset(dataset)).samples
    return Dictionary(uniqueKeysWithValues: samples.compactMap { s in s.votes.map { (s.key, $0) } })
  }

  private func rows(_ sql: String) throws -> [String] {
    try store.read { try String.fetchAll($0, sql: sql) }
  }

  // MARK: PARA

  private let paraHeader =
    "imageName,sessionId,semantic,"
    + stride(from: 1.0, through: 5, by: 0.5).map { "aestheticScore_\($0)" }.joined(separator: ",")
    + ",aestheticScore_mean,aestheticScore_std,colorScore_mean,unknown"

  private var para: [String: String] {
    [
      "annotation/PARA-GiaaTrain.csv":
        "\u{FEFF}\(paraHeader)\r\n"
        + "iaa_pub1_.jpg,session1,animal,0,1,0,0,2.0,0,0,1,0,3.0,1.1,2.5,7\r\n"
        + "iaa_pub2_.jpg,session1,portrait,0,0,0,0,0,0,0,0,4,5,0,,x\r\n"
        + "iaa_pub9_.jpg,session1,portrait,0,0,0,0,0,0,0,0,4.5,5,0,,x\r\n",
      "annotation/PARA-GiaaTest.csv":
        "\(paraHeader)\niaa_pub3_.jpg,session2,food,1,0,0,0,0,0,0,0,1,3.0,2,4.5,\n",
      "annotation/PARA-Images.csv":
        """
      sessionId,imageName,userId,aestheticScore,qualityScore,semantic
      session1,iaa_pub1_.jpg,A1,1.5,2.2,animal
      session1,iaa_pub1_.jpg,B2,3.0,3.1,animal
      session1,iaa_pub1_.jpg,A1,4.5,3.3,animal
      session2,iaa_pub3_.jpg,B2,x,3.1,food
      """,
      "annotation/PARA-UserInfo.csv": "userId,age,gender\nA1,18-21,female\nB2,22-25,male\n",
      "userset/TrainUserIDs_Fold1.txt": "A1\n",
      "userset/TestUserIDs_Fold1.txt": "B2",
      "validation_images.txt": "iaa_pub2_.jpg\n",
    ]
  }

  @Test func readsPARA() throws {
    let report = try importing("para", para)
    #expect(report.images == 3 && report.votes == 10)
    #expect(try scores("para")["imgs/session2/iaa_pub3_.jpg"] == 3)
    #expect(try votes("para")["imgs/session1/iaa_pub1_.jpg"] == [0, 1, 0, 0, 2, 0, 0, 1, 0])
    #expect(
      counts(report) == [
        "official/train": 2, "official/test": 1, "fold1/train": 1, "fold1/test": 1,
        "validated/train": 1, "validated/val": 1, "validated/test": 1,
      ])
    #expect(
      report.skipped.map { "\($0.line) \($0.reason)" } == [
        "4 4.5 of 1.0 votes is no whole count", "5 aestheticScore is \"x\", expected a number",
      ])
    #expect(
      try rows(
        "SELECT name || ' ' || position || ' ' || score FROM ratings JOIN raters ON raters.id = rater ORDER BY 1"
      )
        == ["A1 0 1.5", "A1 1 4.5", "B2 0 3.0"])
    #expect(try rows("SELECT extra FROM raters ORDER BY name").first?.contains("18-21") == true)
    #expect(
      try rows("SELECT scheme || part || rater FROM rater_members") == [
        "fold1testB2", "fold1trainA1",
      ])
    let own = try store.attributes(of: "imgs/session1/iaa_pub1_.jpg", in: store.dataset("para"))
    #expect(own == ["aestheticScore_std": 1.1, "colorScore_mean": 2.5])
    let content = try store.content
    _ = try again("para")
    #expect(try store.content == content)
  }

  @Test func neverMixesTheDividedCopyOfPARAWithTheOriginal() throws {
    let csv =
      "ImageFile,Composition,Color,DoF,Light,Content,Score\niaa_pub1_.jpg,.5,.5,.5,.5,.5,0.6\n"
    let report = try importing("para", ["PARA_csv/test.csv": csv])
    let dataset = try store.dataset("para")
    #expect(dataset.variant == "prompt-det" && dataset.range == ScoreRange(low: 0.2, high: 1))
    #expect(dataset.bins == nil && dataset.threshold == 0.6)
    #expect(report.notes.contains { $0.contains("prompt-det") })
    #expect(throws: StoreError.self) { try importing("para", para) }
    // Beside the original the copy is left alone.
    let other = try Store(path: "\(folder.path)/b.sqlite", creates: true)
    let both = try TableImporter(try Manifest.bundled("para"), source: "\(folder.path)/para")
      .run(into: other, images: nil, replace: false)
    #expect(try other.dataset("para").variant == nil)
    #expect(both.notes.contains("PARA_csv/test.csv was not read: another copy of these labels"))
  }

  // MARK: EVA, FLICKR-AES, REAL-CUR

  @Test func readsEVA() throws {
    let report = try importing(
      "eva",
      [
        "data/votes_filtered.csv": """
        image_id=user_id=score=difficulty=visual=composition=quality=semantic=vote_time
        71=E1=6=1=2=3=4=1=Mozilla/5.0 (a=b)
        71=E2=8=3=4=3=4=1=x
        106=E1=0=1=2=3=4=1=x
        106=E2=11=1=2=3=4=1=x
        107=E3=1
        """,
        "data/users.csv":
          "id=age=region=photographic_level_id=gender_id=eyecheck\nE1=1992.0=156.0=2.0=2.0=1,2\nE2=1967.0=250.0=2.0=1.0=",
        "data/image_content_category.csv":
          "\u{FEFF}\"image_id\",\"sort\"\n\"71\",\"5\"\n\"999\",\"1\"\n",
      ])
    #expect(try scores("eva") == ["71.jpg": 7, "106.jpg": 0])
    #expect(try votes("eva")["71.jpg"] == [0, 0, 0, 0, 0, 0, 1, 0, 1, 0, 0])
    let own = try store.attributes(of: "71.jpg", in: store.dataset("eva"))
    #expect(
      own == [
        "difficulty": 2, "visual": 3, "composition": 3, "quality": 4, "semantic": 1, "sort": 5,
      ])
    #expect(
      report.skipped.map(\.reason) == [
        "score 11.0, expected 0.0 to 10.0 in steps of 1.0", "3 fields, expected 9",
      ])
    #expect(
      try rows(
        "SELECT ratings.extra FROM ratings JOIN raters ON raters.id = rater WHERE name = 'E1' LIMIT 1"
      ).first?.contains("(a=b)") == true)
    #expect(try rows("SELECT extra FROM raters WHERE name = 'E1'").first?.contains("1,2") == true)
  }

  @Test func dividesFlickrAESByItsWorkers() throws {
    let pictures = (0..<150).map { "p\($0).jpg" }
    var ratings = "worker, imagePair, score\n"
    // w1 rated 120 pictures and is a test worker; w2 rated all, w3 a few.
    for (place, name) in pictures.enumerated() {
      if place < 120 { ratings += " w1, \(name), 4\n" }
      for _ in 0..<1 { ratings += " w2, \(name), 2\n" }
      if place % 50 == 0 { ratings += " w3, \(name), 5\n" }
    }
    for place in 0..<40 { ratings += " w2, extra\(place).jpg, 1\n" }
    let labels =
      pictures.map { " \($0) 0.25\n" }.joined()
      + (0..<40).map { " extra\($0).jpg 0.5\n" }.joined()
    let report = try importing(
      "flickr-aes",
      [
        "FLICKR-AES_image_score.txt": labels,
        "FLICKR-AES_image_labeled_by_each_worker.csv": ratings,
      ])
    #expect(report.images == 190 && report.skipped.isEmpty)
    #expect(counts(report)["workers/test"] == 120 && counts(report)["workers/train"] == 70)
    #expect(try votes("flickr-aes")["p0.jpg"] == [0, 1, 0, 1, 1])
    #expect(try scores("flickr-aes")["p0.jpg"] == 0.25)
  }

  @Test func readsTheFoldersOfRealCur() throws {
    let report = try importing(
      "real-cur", ["alice/5/a.jpg": "x", "alice/1/b.PNG": "x", "bob/x/c.jpg": "x", "notes.txt": ""])
    #expect(try scores("real-cur") == ["alice/5/a.jpg": 5, "alice/1/b.PNG": 1])
    #expect(report.skipped.map(\.reason) == ["score is \"x\", expected a number"])
    let sample = try store.samples(try store.dataset("real-cur")).samples.first
    #expect(sample?.path?.hasSuffix("/real-cur/alice/1/b.PNG") == true)
  }

  // MARK: Workbooks and MATLAB files

  @Test func readsTheWorkbookOfSPAQ() throws {
    try folder.write(
      try Fixture.table("spaq.xlsx"), to: "spaq/MOS and Image attribute scores.xlsx")
    let report = try again("spaq")
    #expect(report.images == 3 && report.skipped.isEmpty)
    #expect(try scores("spaq") == ["00001.jpg": 35.2, "00002.jpg": 96, "00003 & <4>.jpg": 2.5])
    let own = try store.attributes(of: "00002.jpg", in: store.dataset("spaq"))
    #expect(
      own == ["Brightness": 80, "Contrast": 71, "Noisiness": 88, "Sharpness": 90])
    #expect(try store.dataset("spaq").range == ScoreRange(low: 0, high: 100))
  }

  @Test func readsTheMATLABFilesOfLIVEC() throws {
    let report = try importing(
      "live-c", [:],
      fixtures: ["AllImages_release.mat", "AllMOS_release.mat", "AllStdDev_release.mat"])
    #expect(report.rows == 10 && report.images == 3)
    #expect(report.notes.contains { $0.hasPrefix("7 pictures were left out") })
    #expect(try scores("live-c") == ["10.bmp": 65, "11.JPG": 72.5, "12.bmp": 80])
    #expect(try store.attributes(of: "12.bmp", in: store.dataset("live-c")) == ["std": 20])
  }

  @Test func readsTheMATLABFilesOfAADB() throws {
    let report = try importing("aadb", [:], fixtures: ["AADBinfo.mat", "attMat.mat"])
    #expect(report.skipped.isEmpty && report.images == 6)
    #expect(counts(report) == ["official/train": 4, "official/test": 2])
    let expected = try JSON.parse(String(decoding: Fixture.table("aadb.json"), as: UTF8.self))
    for part in expected.members ?? [] {
      for picture in part.value.members ?? [] {
        let values = picture.value.array?.compactMap(\.double) ?? []
        #expect(try scores("aadb")[ImageKey(picture.name)] == values[0])
        let own = try store.attributes(of: ImageKey(picture.name), in: store.dataset("aadb"))
        #expect(own["BalacingElements"] == values[1] && own["VividColor"] == values[11])
        #expect(own.count == 11)
      }
    }
  }

  @Test func refusesWorkbooksThatUnfold() throws {
    let folder = try TemporaryFolder()
    let path = try folder.write(try Fixture.table("bomb.xlsx"), to: "bomb.xlsx")
    #expect {
      try TableFile(path, name: "bomb.xlsx")
    } throws: { error in
      (error as? DataError)?.message.contains("unpack to more than 100 times as many") == true
    }
  }

  @Test func endsAFieldThatIsTooLong() throws {
    let long = String(repeating: "x", count: 1_100_000)
    var rows: [[String]] = []
    let text = "a,b\n\"\(long)\",2\n3,4\n"
    let unclosed = Array(text.utf8).withUnsafeBytes { bytes in
      DelimitedRows(.byte(UInt8(ascii: ","), isQuoted: true)).eachRow(bytes) { _, fields in
        rows.append(fields)
        return true
      }
    }
    #expect(unclosed == [2] && rows == [["a", "b"], ["3", "4"]])
  }

  @Test(arguments: ["AllMOS_release.mat", "AllImages_release.mat", "spaq.xlsx"])
  func refusesDamagedFiles(_ name: String) throws {
    let whole = try Fixture.table(name)
    let target =
      name.hasSuffix("xlsx") ? "spaq/MOS and Image attribute scores.xlsx" : "live-c/\(name)"
    let dataset = name.hasSuffix("xlsx") ? "spaq" : "live-c"
    if dataset == "live-c" {
      for other in ["AllImages_release.mat", "AllMOS_release.mat", "AllStdDev_release.mat"] {
        try folder.write(try Fixture.table(other), to: "live-c/\(other)")
      }
    }
    for cut in stride(from: 1, to: whole.count * 6 / 10, by: max(1, whole.count / 40)) {
      try folder.write(whole.prefix(cut), to: target)
      #expect(throws: DataError.self) { try again(dataset) }
    }
    // Bytes that were changed give an error or other numbers, never a crash.
    var random = SystemRandomNumberGenerator()
    for _ in 0..<60 {
      var bytes = whole
      for _ in 0..<4 {
        bytes[Int.random(in: 0..<bytes.count, using: &random)] = .random(in: 0...255)
      }
      try folder.write(bytes, to: target)
      _ = try? TableImporter(try Manifest.bundled(dataset), source: "\(folder.path)/\(dataset)")
    }
  }

  // MARK: JSON records

  @Test func readsQAlignsRecords() throws {
    let report = try importing(
      "qalign",
      [
        "train_x.json": #"[{"id": "a->b.jpg->77.25", "image": "k/a->b.jpg", "conversations": []}]"#,
        "test_x.json":
          #"{"img_path": "k\\c.bmp", "gt_score": "2.65 "}{"image": "k/d.jpg", "gt_score": 3}{"image": "e.jpg"}"#,
      ])
    #expect(try scores("qalign") == ["k/a->b.jpg": 77.25, "k/c.bmp": 2.65, "k/d.jpg": 3])
    #expect(counts(report) == ["official/train": 1, "official/test": 2])
    #expect(report.skipped.map(\.line) == [1])
    #expect(try store.dataset("qalign").range == ScoreRange(low: 0, high: 100))
  }

  @Test func readsDeQAScoresRecords() throws {
    let byPicture = try importing(
      "deqa", ["metas/mos.json": #"{"a.jpg": {"mos": 3.5, "std": 0.5}, "b.jpg": {"mos": 1.0}}"#])
    #expect(byPicture.images == 2)
    #expect(try store.attributes(of: "a.jpg", in: store.dataset("deqa")) == ["std": 0.5])
  }

  @Test func readsConversationsWithSeveralScores() throws {
    let report = try importing(
      "roc",
      [
        "train.jsonl": #"""
        {"image": "a.jpg", "gt_score": [4.5, 2.5], "conversations": [], "target": [0.5, 0.5]}
        {"image": "b.jpg", "gt_score": 2}
        {"image": "c.jpg",
        {"image": "d.jpg", "gt_score": NaN}
        """#
      ])
    #expect(try scores("roc") == ["a.jpg": 4.5, "b.jpg": 2])
    #expect(
      try store.attributes(of: "a.jpg", in: store.dataset("roc"))
        == ["gt_score[0]": 4.5, "gt_score[1]": 2.5])
    #expect(report.skipped.map(\.line).sorted() == [4, 4])
    let sample = try store.samples(try store.dataset("roc")).samples.first
    #expect(sample?.extra?.contains("\"target\": [0.5, 0.5]") == true && sample?.votes == nil)
  }

  @Test func findsFilesByTheirColumns() throws {
    let report = try importing(
      "icaa17k", ["my labels for TRAINING.csv": "ID;color;MOS;probability\na/x.jpg;5.5;4;0.5\n"])
    #expect(counts(report) == ["official/train": 1])
    #expect(report.notes.first?.contains("recognised by its columns") == true)
    #expect(throws: DataError.self) { try importing("koniq10k", ["a.csv": "image,score\nx,1\n"]) }
    #expect(try Recognition.guess("\(folder.path)/icaa17k") == nil)
    try folder.write("ID,color,MOS,probability\na/x.jpg,5.5,4,0.5\n", to: "g/1train.csv")
    #expect(try Recognition.guess("\(folder.path)/g") == "icaa17k")
  }

  @Test func setsAnUnclosedQuotationAside() throws {
    let report = try importing(
      "agiqa3k",
      [
        "data.csv":
          "name,prompt,adj1,adj2,style,mos_quality,std_quality,mos_align,std_align\r\n"
          + "a.jpg,\"x, y\",,,, 2.5 ,0.1,NaN,0.3\r\nb.jpg,\"open,,,,1,1,1,1\r\nc.jpg,p,,,,3,,,\r\n"
      ])
    #expect(try scores("agiqa3k") == ["a.jpg": 2.5, "c.jpg": 3])
    #expect(
      report.skipped.map { "\($0.line) \($0.reason)" } == [
        "3 a quotation mark opens here and never closes"
      ])
    #expect(
      try store.attributes(of: "a.jpg", in: store.dataset("agiqa3k")) == [
        "std_quality": 0.1, "std_align": 0.3,
      ])
  }
}

extension Store {
  /// All rows of all tables as text.
  var content: [String] {
    get throws {
      try read { db in
        let tables = try String.fetchAll(
          db, sql: "SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name")
        return try tables.flatMap { table in
          try Row.fetchAll(db, sql: "SELECT * FROM \(table)").map { "\(table): \($0)" }.sorted()
        }
      }
    }
  }
}
