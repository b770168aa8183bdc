import Foundation
import GRDB
import RocData
import RocJSON
import RocNames
import RocStore
import RocTables
import RocTestSupport
import Testing

/// AVA-Captions in its three forms, with made-up comments.
struct CaptionTests {
  private let ava: MadeUpAVA
  private let store: Store

  init() throws {
    ava = try MadeUpAVA()
    store = try Store(path: ava.database, creates: true)
  }

  private func importAVA() throws {
    _ = try AVAImporter(try Manifest.bundled("ava"), source: ava.path)
      .run(into: store, images: nil, replace: false)
  }

  private func importing(_ files: [String: String]) throws -> ImportReport {
    for (name, text) in files { try ava.folder.write(text, to: "captions/\(name)") }
    return try CaptionImporter(
      try Manifest.bundled("ava-captions"), source: "\(ava.folder.path)/captions"
    ).run(into: store, images: nil, replace: false)
  }

  private func comments() throws -> [String] {
    try store.read { db in
      try Row.fetchAll(
        db,
        sql: """
          SELECT key, source, position, text, clean FROM comments
          JOIN samples ON samples.id = sample ORDER BY key, source, position
          """
      ).map { row in
        let clean: String = row["clean"] ?? "-"
        let text: String = row["text"]
        return
          "\(row["key"] as String) \(row["source"] as String) \(row["position"] as Int) \(text)|\(clean)"
      }
    }
  }

  @Test func readsKarpathysForm() throws {
    try importAVA()
    let json = #"""
      {"dataset": "AVA", "images": [
        {"filename": "11.jpg", "imgid": 11, "split": "test", "sentences": [
          {"raw": "Schön!", "clean": "schön", "tokens": ["schön"]}, {"raw": "Zu dunkel."}]},
        {"filename": "12.jpg", "imgid": 12, "split": "train", "sentences": [{"raw": "ok", "clean": "ok"}]},
        {"filename": "777.jpg", "imgid": 777, "split": "train", "sentences": [{"raw": "no votes"}]},
        {"filename": "x.jpg", "imgid": -1, "split": "train", "sentences": []},
        {"filename": "13.jpg", "split": "lost", "sentences": []}
      ], "more": {"deep": [1, 2]}}
      """#
    let report = try importing(["CLEAN_AVA_FULL_AFTER_SUBJECTIVE_CLEANING.json": json])
    let source = "CLEAN_AVA_FULL_AFTER_SUBJECTIVE_CLEANING"
    #expect(
      try comments() == [
        "11.jpg \(source) 0 Schön!|schön", "11.jpg \(source) 1 Zu dunkel.|-",
        "12.jpg \(source) 0 ok|ok",
      ])
    #expect(
      report.skipped.map { "\($0.line) \($0.reason)" } == [
        "5 picture 777 has no votes in ava, so there is no score",
        "6 no filename, imgid, cocoid, id that is a picture's number",
        "7 split of picture 13 is \"lost\", expected train, val or test",
      ])
    // By AVA's division 12 is tested; the file itself says 11.
    #expect(
      report.splits.map { "\($0.scheme)/\($0.part) \($0.count)" } == [
        "official/train 2", "official/test 1", "published/train 1", "published/test 1",
      ])
    let samples = try store.samples(try store.dataset("ava-captions")).samples
    #expect(samples.first { $0.key == "11.jpg" }?.votes == [0, 0, 1, 0, 0, 0, 0, 0, 2, 0])
    #expect(samples.first { $0.key == "11.jpg" }?.score == 7)
    let content = try store.content
    _ = try importing([:])
    #expect(try store.content == content)
  }

  @Test func readsCOCOAndRawText() throws {
    try importAVA()
    let report = try importing([
      "AVA_FULL_VALIDATION.json": #"""
      {"images": [{"id": 14, "file_name": "14.jpg"}], "annotations": [
       {"image_id": 14, "id": 1, "caption": "one"}, {"image_id": 15, "id": 2, "caption": "other"},
       {"image_id": 14, "id": 3, "caption": "two"}, {"image_id": 14}]}
      """#,
      "ava_comments.txt": " 1 # 16 # fine light # a bit soft \r\n2#abc#lost\n3#17#\n\n4#16#again",
    ])
    #expect(
      try comments() == [
        "14.jpg AVA_FULL_VALIDATION 0 one|-", "14.jpg AVA_FULL_VALIDATION 1 two|-",
        "15.jpg AVA_FULL_VALIDATION 0 other|-", "16.jpg ava_comments 0 fine light|-",
        "16.jpg ava_comments 1 a bit soft|-", "16.jpg ava_comments 2 again|-",
      ])
    #expect(
      report.skipped.map { "\($0.line) \($0.reason)" } == [
        "3 an annotation of picture 14 has no caption",
        "2 the image id is \"abc\", expected a number",
      ])
    #expect(report.images == 4)
  }

  @Test func needsAVAInTheSameDatabase() throws {
    let error = #expect(throws: DataError.self) {
      _ = try importing(["ava_comments.txt": "1#11#a\n"])
    }
    #expect(error?.isMissing == true && error?.message.contains("holds no ava") == true)
  }

  @Test func keepsWhatStandsBeforeADamage() throws {
    try importAVA()
    let report = try importing([
      "a.json": #"{"images": [{"imgid": 11, "sentences": [{"raw": "kept"}]}, {"imgid": 12, "sent"#
    ])
    #expect(try comments().count == 1 && report.skipped.count == 1)
    #expect(report.skipped.first?.reason.contains("the rest of the file was not read") == true)
  }

  /// A comment after the score, as ROC's second stage is trained.
  @Test func exportsACommentAfterTheScore() throws {
    try importAVA()
    _ = try importing(["ava_comments.txt": "1#11#first#a much longer one#[SCORE] breaks\n2#12#x\n"])
    let dataset = try store.dataset("ava-captions")
    let samples = try store.samples(dataset).samples
    let first = samples.first { $0.key == "11.jpg" }
    let id = try #require(first?.id)
    let bytes = ConversationExport(dataset: dataset, comments: [id: "So soft."]).array(samples)
    let records = try #require(try JSON.parse(String(decoding: bytes, as: UTF8.self)).array)
    let answers = records.compactMap { $0["conversations"]?.array?[1]["value"]?.string }
    #expect(answers.contains("The aesthetic rate of the image is [SCORE]. So soft."))
    #expect(answers.contains("The aesthetic rate of the image is [SCORE]. "))
  }

  /// Karpathy's own files count their pictures in `imgid`; the name says which picture it is.
  @Test func joinsByTheNameWhereImgidOnlyCounts() throws {
    try importAVA()
    let json = #"""
      {"images": [
        {"imgid": 1, "filename": "12.jpg", "split": "train", "sentences": [{"raw": "one"}]},
        {"imgid": 12, "filename": "11.jpg", "split": "test", "sentences": [{"raw": "two"}]},
        {"imgid": 11, "filename": "no-number.jpg", "sentences": [{"raw": "three"}]},
        {"imgid": 777777, "filename": "888888.jpg", "sentences": [{"raw": "four"}]}
      ]}
      """#
    let report = try importing(["captions.json": json])
    #expect(
      try comments() == [
        "11.jpg captions 0 two|-", "11.jpg captions 1 three|-", "12.jpg captions 0 one|-",
      ])
    #expect(report.skipped.map(\.record) == [4])
  }

  /// Two files in either order, or in one source.
  @Test func filesComeInAnyOrder() throws {
    try importAVA()
    let files = [
      "a.json":
        #"{"images": [{"filename": "11.jpg", "split": "train", "sentences": [{"raw": "x"}]}]}"#,
      "b.txt": "1#12#first#second\n2#11#third\n",
    ]
    for (name, text) in files { try ava.folder.write(text, to: "captions/\(name)") }
    var results: [[String]] = []
    for order in [["."], ["a.json", "b.txt"], ["b.txt", "a.json"]] {
      for name in order {
        _ = try CaptionImporter(
          try Manifest.bundled("ava-captions"), source: "\(ava.folder.path)/captions/\(name)"
        ).run(into: store, images: nil, replace: order[0] == name)
      }
      let members = try store.read { db in
        try String.fetchAll(
          db,
          sql: """
            SELECT split_schemes.name || part || key FROM split_members
            JOIN split_schemes ON split_schemes.id = scheme JOIN samples ON samples.id = sample
            JOIN datasets ON datasets.id = samples.dataset WHERE datasets.name = 'ava-captions'
            ORDER BY 1
            """)
      }
      results.append(try comments() + members)
    }
    #expect(results[0].count > 4 && results[1] == results[0] && results[2] == results[0])
  }
}
