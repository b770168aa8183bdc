import Foundation
import GRDB
import RocData
import RocJSON
import RocNames
import RocStore
import RocTables
import RocTestSupport
import Testing

struct AVAImporterTests {
  private func importAll(
    _ source: MadeUpAVA, images: ImageFolder? = nil, replace: Bool = false
  ) throws -> (Store, ImportReport) {
    let store = try Store(path: source.database, creates: true)
    let importer = try AVAImporter(try Manifest.bundled("ava"), source: source.path)
    return (store, try importer.run(into: store, images: images, replace: replace))
  }

  /// All rows of all tables as text.
  private func content(_ store: Store) throws -> [String] {
    try store.read { db in
      let tables = try String.fetchAll(
        db, sql: "SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name")
      return try tables.flatMap { table in
        try Row.fetchAll(db, sql: "SELECT * FROM \"\(table)\"").map { "\(table) \($0)" }
      }
    }
  }

  @Test func storesVotesScoresAndSplits() throws {
    let (store, report) = try importAll(try MadeUpAVA())
    #expect(report.rows == 10 && report.images == 10 && report.duplicates == 0)
    #expect(report.skipped.isEmpty)
    // Picture 1 has the votes 1 x 3 and 2 x 9.
    let dataset = try store.dataset("ava")
    let samples = try store.samples(dataset).samples
    #expect(samples[0].key == "11.jpg" && samples[0].score == 7)
    #expect(samples[0].votes == [0, 0, 1, 0, 0, 0, 0, 0, 2, 0])
    #expect(report.votes == 55 + 20)
    let test = try store.samples(dataset, split: "test")
    #expect(test.split?.description == "official/test")
    #expect(test.samples.map(\.key) == ["12.jpg", "14.jpg"])
    #expect(try store.samples(dataset, split: "official/train").samples.count == 8)
    #expect(try store.samples(dataset, split: "generic-ls/train").samples.count == 2)
    // Schemes whose lists are absent are not made up.
    #expect(!report.splits.contains { $0.scheme == "animal" })
    let unlabelled = Dictionary(uniqueKeysWithValues: report.unlabelled.map { ($0.list, $0.count) })
    #expect(unlabelled["generic_test"] == 1 && unlabelled["generic_ls_train"] == 2)
    #expect(report.json["unlabelled"]?["generic_test"]?.int == 1)
    #expect(report.json["splits"]?["official"]?["test"]?.int == 2)
    #expect(report.json["images_missing"]?.isNull == true)
  }

  @Test func keepsTagsChallengesAndStyles() throws {
    let (store, _) = try importAll(try MadeUpAVA())
    try store.read { db in
      let extra = try String.fetchOne(db, sql: "SELECT extra FROM samples WHERE key = '13.jpg'")
      #expect(extra == "{\"index\":3,\"tag1\":1,\"tag2\":22,\"challenge\":1396}")
      let name = try String.fetchOne(
        db, sql: "SELECT name FROM vocabularies WHERE kind = 'tag' AND number = 22")
      #expect(name == "Insects, etc")
      let styles = try Row.fetchAll(
        db,
        sql: """
          SELECT key, name FROM attributes JOIN samples ON samples.id = sample ORDER BY key, name
          """
      ).map { "\($0["key"] as String) \($0["name"] as String)" }
      #expect(
        styles == [
          "11.jpg style/HDR", "12.jpg style/Duotones", "12.jpg style/Long_Exposure",
          "13.jpg style/Long_Exposure", "15.jpg style/Duotones",
        ])
    }
  }

  @Test func changesNothingTheSecondTime() throws {
    let source = try MadeUpAVA()
    let (store, first) = try importAll(source)
    let before = try content(store)
    let (_, second) = try importAll(source)
    #expect(try content(store) == before)
    #expect(first.json == second.json)
  }

  @Test func readsEveryKindOfLineEnd() throws {
    let plain = try importAll(try MadeUpAVA()).1
    let rows = (1...10).map { MadeUpAVA.row($0, id: 10 + $0) }
    for text in [
      rows.joined(separator: "\r\n"), "\u{FEFF}" + rows.joined(separator: " \n"),
      rows.map { $0.replacingOccurrences(of: " ", with: "\t ") }.joined(separator: "\n") + "\n\n",
    ] {
      let report = try importAll(try MadeUpAVA(labels: text)).1
      #expect(report.json == plain.json)
    }
  }

  @Test func setsBadLinesAside() throws {
    let labels = """
      1 11 0 0 1 0 0 0 0 0 2 0 1 22 1396
      2 12 0 0 1 0 0 0 0 0 2 0 1 22
      3 x3 0 0 1 0 0 0 0 0 2 0 1 22 1396
      4 14 0 0 0 0 0 0 0 0 0 0 1 22 1396
      5 15 0 0 -1 0 0 0 0 0 2 0 1 22 1396
      6 11 0 0 1 0 0 0 0 0 2 0 1 22 1396
      7 11 0 0 9 0 0 0 0 0 2 0 1 22 1396
      8 18 0 0 1 0 0 0 0 0 99999999999999999999 0 1 22 1396
      9 0 0 0 1 0 0 0 0 0 2 0 1 22 1396
      10 20 0 0 1 0 0 0 0 0 2 0 1 22 1396
      """
    let (store, report) = try importAll(try MadeUpAVA(labels: labels))
    #expect(report.rows == 10 && report.images == 2 && report.duplicates == 1)
    #expect(
      report.skipped.map { "\($0.line) \($0.reason)" } == [
        "2 14 columns, expected 15", "3 \"x3\" is not a whole number",
        "4 no votes, so there is no mean",
        "5 votes [0, 0, -1, 0, 0, 0, 0, 0, 2, 0], expected counts of 0 or more",
        "7 image 11 has other votes in line 1",
        "8 \"99999999999999999999\" is not a whole number", "9 image id 0",
      ])
    #expect(report.skipped.allSatisfy { $0.file == "AVA.txt" })
    let kept = try store.read { db in
      try Int.fetchOne(db, sql: "SELECT count(*) FROM quarantine") ?? 0
    }
    #expect(kept == 7)
  }

  @Test func setsBadListLinesAside() throws {
    let source = try MadeUpAVA()
    try source.folder.write(
      "12\nabc\n14 15\n\n12\n", to: "AVA_dataset/aesthetics_image_lists/generic_test.jpgl")
    try source.folder.write("9\n3\n1\n1\n", to: "AVA_dataset/style_image_lists/train.lab")
    let report = try importAll(source).1
    #expect(
      report.splits.contains { $0.scheme == "official" && $0.part == "test" && $0.count == 1 })
    #expect(
      report.skipped.map { "\($0.file):\($0.line) \($0.reason)" } == [
        "aesthetics_image_lists/generic_test.jpgl:2 expected one image id",
        "aesthetics_image_lists/generic_test.jpgl:3 expected one image id",
        "style_image_lists/train.lab:1 expected a number from 1 to 3, or 3 of 0 and 1",
        "style_image_lists/train.lab:4 there is no line 4 in style_image_lists/train.jpgl",
      ])
  }

  @Test func findsTheLabelsByTheirContent() throws {
    let source = try MadeUpAVA()
    try FileManager.default.moveItem(
      atPath: "\(source.path)/AVA.txt", toPath: "\(source.path)/renamed_labels.txt")
    #expect(try importAll(source).1.images == 10)
  }

  @Test func saysWhichFileItNeeds() throws {
    let source = try MadeUpAVA()
    for name in ["AVA.txt", "aesthetics_image_lists", "style_image_lists"] {
      try FileManager.default.removeItem(atPath: "\(source.path)/\(name)")
    }
    let manifest = try Manifest.bundled("ava")
    let error = #expect(throws: DataError.self) {
      _ = try AVAImporter(manifest, source: source.path)
    }
    #expect(error?.isMissing == true)
    #expect(error?.message.contains("no AVA.txt (15 whole numbers a line") == true)
    let none = #expect(throws: DataError.self) {
      _ = try AVAImporter(manifest, source: "/nowhere")
    }
    #expect(none?.message == "/nowhere: there is no such file or folder")
  }

  @Test func refusesOtherVotesUnlessTold() throws {
    let source = try MadeUpAVA()
    let (store, _) = try importAll(source)
    let before = try content(store)
    let other = (1...10).map { MadeUpAVA.row(11 - $0, id: 10 + $0) }.joined(separator: "\n")
    try source.folder.write(other, to: "AVA_dataset/AVA.txt")
    let error = #expect(throws: StoreError.self) { _ = try importAll(source) }
    #expect(
      error?.message.hasPrefix(
        "\(source.path): row 1: 11.jpg is stored with other labels") == true)
    #expect(try content(store) == before)
    let (_, report) = try importAll(source, replace: true)
    #expect(report.images == 10)
    #expect(try store.samples(try store.dataset("ava")).samples[0].votes?[2] == 10)
  }

  @Test func addsOtherDivisionsFromTheirOwnFiles() throws {
    let source = try MadeUpAVA()
    let (store, _) = try importAll(source)
    // TANet repeats the votes; one line was scrambled.
    try source.folder.write(
      """
      image_id,score2,score3,score4,score5,score6,score7,score8,score9,score10,score11,tag1,tag2,tag3
      12,0,0,2,0,0,0,0,0,2,0,1,22,1396
      13,0,0,9,0,0,0,0,0,2,0,1,22,1396
      """, to: "other/TANet/test.csv")
    try source.folder.write("12.jpg 1\n99.jpg 0\n14.jpg 2\n", to: "other/ILGnet/AVA1/val.txt")
    let importer = try AVAImporter(
      try Manifest.bundled("ava"), source: "\(source.folder.path)/other")
    let report = try importer.run(into: store, images: nil, replace: false)
    #expect(
      report.splits.map { "\($0.scheme)/\($0.part) \($0.count)" } == [
        "ilgnet/test 1", "tanet/test 2",
      ])
    #expect(
      report.skipped.map { "\($0.file):\($0.line) \($0.reason)" } == [
        "ILGnet/AVA1/val.txt:3 expected one image id",
        """
        TANet/test.csv:3 image 13 has the votes [0, 0, 9, 0, 0, 0, 0, 0, 2, 0] here and \
        [0, 0, 3, 0, 0, 0, 0, 0, 2, 0] in the database
        """,
      ])
    let audit = try LeakAudit(store, try store.dataset("ava"))
    #expect(audit.leaks.isEmpty)
    // 13 is an official training picture and a TANet test picture.
    #expect(
      audit.between.contains {
        $0.first == "official/train" && $0.second == "tanet/test" && $0.secondCount == 1
      })
    #expect(
      audit.lists.contains {
        $0.first == "generic_test" && $0.second == "ilgnet_val" && $0.secondCount == 2
      })
    let lists = try Store(path: "\(source.folder.path)/new.sqlite", creates: true)
    let error = #expect(throws: DataError.self) {
      _ = try importer.run(into: lists, images: nil, replace: false)
    }
    #expect(error?.isMissing == true && error?.message.contains("import the label package") == true)
  }

  @Test(arguments: [(12_768, "relic"), (12_776, "tanet")])
  func tellsDivisionsWithTheSameFileNamesByTheirLength(_ rows: Int, _ scheme: String) throws {
    let source = try MadeUpAVA()
    let (store, _) = try importAll(source)
    try source.folder.write(
      (1...rows).map { "\($0)\n" }.joined(), to: "other/test.csv")
    let report = try AVAImporter(
      try Manifest.bundled("ava"), source: "\(source.folder.path)/other"
    ).run(into: store, images: nil, replace: false)
    #expect(report.splits.map { "\($0.scheme)/\($0.part) \($0.count)" } == ["\(scheme)/test 10"])
    #expect(report.unlabelled.map(\.list) == ["\(scheme)_test"])
  }

  @Test func refusesLabelsWithoutAPicture() throws {
    let error = #expect(throws: DataError.self) { _ = try importAll(try MadeUpAVA(labels: "")) }
    #expect(error?.message.hasSuffix("AVA.txt: no labelled picture in 0 lines") == true)
  }

  @Test func followsLinksToFolders() throws {
    let source = try MadeUpAVA()
    let link = "\(source.folder.path)/link"
    try FileManager.default.createSymbolicLink(atPath: link, withDestinationPath: source.path)
    // A link that leads back up must not be walked for ever.
    try FileManager.default.createSymbolicLink(
      atPath: "\(source.path)/loop", withDestinationPath: source.folder.path)
    let importer = try AVAImporter(try Manifest.bundled("ava"), source: link)
    let store = try Store(path: source.database, creates: true)
    #expect(try importer.run(into: store, images: nil, replace: false).images == 10)
  }

  @Test func findsAPictureThatCameBack() throws {
    let source = try MadeUpAVA()
    try source.addPictures([11, 12])
    let (store, _) = try importAll(source, images: try ImageFolder(source.images))
    try FileManager.default.removeItem(atPath: "\(source.images)/12.jpg")
    let samples = try store.samples(try store.dataset("ava")).samples
    try store.save(try ImageVerification.run(samples, jobs: 1))
    try source.addPictures([12])
    _ = try importAll(source, images: try ImageFolder(source.images))
    #expect(try store.samples(try store.dataset("ava")).samples[1].imageState == .found)
  }

  @Test func marksPicturesThatAreNotThere() throws {
    let source = try MadeUpAVA()
    try source.addPictures([11, 12, 13])
    let (store, report) = try importAll(source, images: try ImageFolder(source.images))
    #expect(report.missingImages?.count == 7)
    let samples = try store.samples(try store.dataset("ava")).samples
    #expect(samples.map(\.imageState).filter { $0 == .found }.count == 3)
    // A later import without pictures keeps what is known; one with more finds the new ones.
    _ = try importAll(source)
    #expect(try store.samples(try store.dataset("ava")).samples[0].imageState == .found)
    try source.addPictures([14])
    let again = try importAll(source, images: try ImageFolder(source.images)).1
    #expect(again.missingImages?.count == 6)
  }
}
