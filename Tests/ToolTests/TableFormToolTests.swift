import Foundation
import GRDB
import RocJSON
import RocTestSupport
import Testing

/// Tables and records as other programs write them.
struct TableFormToolTests {
  private let folder: TemporaryFolder
  private var database: [String] { ["--db", "\(folder.path)/t.sqlite"] }

  init() throws { folder = try TemporaryFolder() }

  private func rows(_ sql: String) throws -> [String] {
    try DatabaseQueue(path: "\(folder.path)/t.sqlite").read { try String.fetchAll($0, sql: sql) }
  }

  private func list(_ counts: [Int]) -> String { "\(counts)" }

  @Test func readsVoteListsOfRecordsAndNamesTheRecordsItSetsAside() throws {
    let good = [0, 1, 2, 3, 4, 5, 4, 3, 2, 1]
    let train = (0..<12).map { "{\"image_id\": \"\(100 + $0)\", \"label\": \(list(good))}" }
    let test = [
      "{\"image_id\": \"500\", \"label\": \(list(good.reversed()))}",
      "{\"image_id\": \"501\", \"label\": [1, 2]}", "{\"image_id\": \"502\", \"label\": [1, 2]}",
      "{\"image_id\": \"503\", \"label\": \"none\"}",
      "{\"image_id\": \"100\", \"label\": \(list(good))}",
    ]
    try folder.write("[\(train.joined(separator: ", "))]", to: "i/ava_labels_train.json")
    try folder.write("[\(test.joined(separator: ", "))]", to: "i/ava_labels_test.json")
    let run = try CommandRun(
      "roc-data", ["import", "auto", "--source", "\(folder.path)/i", "--json"] + database)
    #expect(run.status == 3 && run.errors.hasPrefix("\(folder.path)/i: files of idealo\n"))
    // With and without the ending an id is one picture's.
    let mixed = try folder.write(
      "[{\"image_id\": \"a\", \"label\": \(list(good))}, {\"image_id\": \"a.jpg\", \"label\": \(list(good))}]",
      to: "mixed.json")
    let once = try CommandRun(
      "roc-data", ["import", "idealo", "--name", "mixed", "--source", mixed, "--json"] + database)
    #expect(try JSON.parse(once.output)["images"]?.int == 1)
    #expect(try JSON.parse(once.output)["duplicates"]?.int == 1)
    // One reason, one line.
    #expect(
      run.errors.contains(
        "Warning: ava_labels_test.json: records 2, 3: label has 2 numbers, expected 10; set aside"))
    let report = try JSON.parse(run.output)
    #expect(report["images"]?.int == 13 && report["duplicates"]?.int == 1)
    #expect(report["splits"]?["given"]?["train"]?.int == 12)
    #expect(report["skipped"]?.array?.map { $0["record"]?.int } == [2, 3, 4])
    #expect(
      try rows("SELECT line || ':' || record FROM quarantine ORDER BY record") == [
        "1:2", "1:3", "1:4",
      ])
    let score = (0..<10).reduce(0.0) { $0 + Double($1 + 1) * Double(good[$1]) } / 25
    let stored = try rows("SELECT gt_score FROM samples WHERE key = '100.jpg'")
    #expect(Double(stored[0]) == score)
    // Shares make a score and no votes, also where one of them is 1.
    let shares = (0..<9).map { _ in "0" }.joined(separator: ", ")
    let tid = try folder.write(
      """
      [{"image_id": "i1.bmp", "label": [0.5, 0.5, 0, 0, 0, 0, 0, 0, 0, 0]},
       {"image_id": "i2", "label": [\(shares), 1]}]
      """, to: "tid_labels.json")
    let other = try CommandRun(
      "roc-data", ["import", "auto", "--name", "tid", "--source", tid] + database)
    #expect(other.status == 0)
    #expect(
      try rows(
        """
        SELECT key || ' ' || gt_score || ' ' || (total IS NULL) FROM samples
        LEFT JOIN votes ON sample = samples.id JOIN datasets ON datasets.id = dataset
        WHERE name = 'tid' ORDER BY 1
        """) == ["i1.bmp 1.5 1", "i2.jpg 10.0 1"])
    let card = try CommandRun(
      "roc-data", ["card", "idealo", "--output", "\(folder.path)/cards"] + database)
    #expect(card.status == 0)
    let text = try String(contentsOfFile: "\(folder.path)/cards/idealo.md", encoding: .utf8)
    #expect(text.contains("* ava_labels_test.json: records 2, 3: label has 2 numbers"))
  }

  @Test func aManifestOfAFewLinesReadsAColumnOfVoteLists() throws {
    let manifest = """
      name: mine
      score: {low: 1, high: 3}
      votes: {bins: 3, first: 1, step: 1}
      tables:
        - {files: "*.csv", key: image, votes: {list: votes}, mean_of_votes: true}
      """
    let yaml = try folder.write(manifest, to: "mine.yaml")
    let csv = try folder.write(
      "image,votes\na.jpg,\"[1, 2, 3]\"\nb.jpg,1 0 0\nc.jpg,x\n", to: "v.csv")
    let run = try CommandRun("roc-data", ["import", yaml, "--source", csv] + database)
    #expect(run.status == 3 && run.errors.contains("v.csv:4: votes is \"x\", expected a list"))
    #expect(
      try rows("SELECT key || ' ' || counts FROM samples JOIN votes ON sample = samples.id") == [
        "a.jpg [1,2,3]", "b.jpg [1,0,0]",
      ])
    let wrong = try folder.write(
      manifest.replacing(", votes: {list: votes}", with: ""), to: "wrong.yaml")
    let refused = try CommandRun("roc-data", ["import", wrong, "--source", csv] + database)
    #expect(refused.status == 1 && refused.errors.contains("mean_of_votes"))
  }

  @Test func joinsTheAnnotatorsOfLabelStudio() throws {
    func record(_ name: String, _ rating: String, _ annotator: Int) -> String {
      """
      {"id": 1, "image": "\(name)", "rating": \(rating), "annotator": \(annotator), "annotation_id": 1}
      """
    }
    let upload = "/data/upload/1/0a1b2c3d-a.jpg"
    let text =
      "["
      + [
        record(upload, "[{\"rating\": 1}]", 1), record(upload, "[{\"rating\": 4}]", 2),
        record("/data/local-files/?d=set/b.jpg", "[{\"rating\": 5}]", 1),
        record("c.jpg", "[{\"rating\": 1}, {\"rating\": 2}]", 1),
        record("/data/upload/1/ffffffff-a.jpg", "[{\"rating\": 5}]", 1),
      ].joined(separator: ", ") + "]"
    let path = try folder.write(text, to: "project-1.json")
    let run = try CommandRun("roc-data", ["import", "auto", "--source", path] + database)
    #expect(run.status == 3 && run.errors.contains("project-1.json: files of label-studio\n"))
    #expect(run.errors.contains("project-1.json:1, record 4: rating is"))
    #expect(
      try rows("SELECT key || ' ' || gt_score FROM samples ORDER BY key") == [
        "a.jpg 2.5", "set/b.jpg 5.0",
      ])
    #expect(try rows("SELECT count(*) FROM ratings") == ["3"])
    // Two uploads of one name are two pictures, which one key cannot hold.
    #expect(run.errors.contains("whose name a.jpg is also that of \(upload)"))
    let scored = try folder.write(
      #"[{"image": "z.jpg", "score": 3, "annotator": 1}, {"image": "y.jpg", "score": 4, "annotator": 1}]"#,
      to: "scored.json")
    let plain = try CommandRun(
      "roc-data", ["import", "label-studio", "--name", "plain", "--source", scored] + database)
    #expect(plain.status == 0 && plain.output.contains("2 pictures"), "\(plain.errors)")
    let bad = try folder.write(
      #"[{"image": "z.jpg", "rating": "good", "annotator": 1}]"#, to: "bad.json")
    let refused = try CommandRun(
      "roc-data", ["import", "label-studio", "--name", "bad", "--source", bad] + database)
    #expect(refused.status == 1 && refused.errors.contains("rating is \"good\""))
    // An annotator alone makes no file of Label Studio's.
    let table = try folder.write("image,score,annotator\nk.jpg,1,anna\nl.jpg,2,ben\n", to: "t.csv")
    let auto = try CommandRun(
      "roc-data", ["import", "auto", "--name", "auto", "--source", table] + database)
    #expect(auto.errors.contains("files of table"))
  }

  @Test func readsPicturesOfHuggingFaceAndTellsOfThoseWithoutAPath() throws {
    let text = """
      {"image": {"bytes": null, "path": "a.jpg"}, "score": 1.0, "gt_score": 2}
      {"image": {"bytes": "iVBORw0", "path": null}, "score": 1.5, "gt_score": 3}
      {"image": {"bytes": null, "path": "c.jpg"}, "score": 2.0, "gt_score": 4}

      """
    let path = try folder.write(text, to: "hub.jsonl")
    let run = try CommandRun(
      "roc-data", ["import", "table", "--name", "hub", "--source", path] + database)
    #expect(run.status == 3)
    #expect(run.errors.contains("record 2: image holds the picture itself and no path"))
    #expect(try rows("SELECT key FROM samples ORDER BY key") == ["a.jpg", "c.jpg"])
    let good = try folder.write(
      text.replacing("\"iVBORw0\", \"path\": null", with: "null, \"path\": \"b.jpg\""),
      to: "good.jsonl")
    let metrics = try CommandRun("roc-eval", ["metrics", "--predictions", good, "--json"])
    #expect(metrics.status == 0)
    #expect(try JSON.parse(metrics.output)["n_scored"]?.int == 3)
  }

  @Test func picturesWithoutAScoreAreCountedAsUnlabelled() throws {
    let path = try folder.write(
      "image,score\na.jpg,NA\nb.jpg,n/a\nc.jpg,\nd.jpg,3.5\ne.jpg,#N/A\nf.jpg,4\ng.jpg,good\n",
      to: "na.csv")
    let run = try CommandRun(
      "roc-data", ["import", "table", "--name", "na", "--source", path, "--json"] + database)
    #expect(run.status == 3)
    let report = try JSON.parse(run.output)
    #expect(report["images"]?.int == 2 && report["unlabelled"]?["na.csv"]?.int == 4)
    #expect(report["skipped"]?.array?.count == 1)
  }

  /// Distorted copies of one original never stand on both sides.
  @Test func keepsCopiesOfOneOriginalTogether() throws {
    var text = "ref_name,dist_name,dmos\n"
    for original in 0..<40 {
      for copy in 0..<5 {
        text += "r\(original).png,r\(original).\(copy).png,0.\(original + copy + 10)\n"
      }
    }
    let path = try folder.write(text, to: "meta.csv")
    let arguments = ["import", "table", "--name", "csiq", "--source", path] + database
    let run = try CommandRun("roc-data", arguments)
    #expect(run.status == 0 && run.errors.contains("--lower-is-better says otherwise"))
    #expect(
      try rows(
        """
        SELECT json_extract(extra, '$.ref_name') FROM samples JOIN split_members ON sample = id
        GROUP BY 1 HAVING count(DISTINCT part) > 1
        """) == [])
    #expect(try rows("SELECT DISTINCT part FROM split_members").count == 2)
    #expect(try CommandRun("roc-data", ["audit", "csiq"] + database).status == 0)
    // A division that cuts groups is a leak, and the copies can be left out.
    let names = (0..<40).map { "r\($0).0.png\n" }.joined()
    let rest = (0..<20).flatMap { original in (1..<5).map { "r\(original).\($0).png\n" } }.joined()
    let test = try folder.write(names, to: "test.txt")
    let train = try folder.write(rest + "r39.4.png\n", to: "train.txt")
    let added = try CommandRun(
      "roc-data", ["add-split", "csiq", "cut", "--train", train, "--test", test] + database)
    #expect(added.status == 0)
    let audit = try CommandRun("roc-data", ["audit", "csiq", "--json"] + database)
    let leak = try JSON.parse(audit.output)["leaks"]?.array?.first
    #expect(audit.status == 4 && leak?["kind"] == "group")
    #expect(leak?["n"]?.array == [81, 21])
    let export = ["export", "csiq", "--split", "cut/train", "--format", "roc"] + database
    let warned = try CommandRun("roc-data", export)
    #expect(warned.status == 0 && warned.errors.contains("made from originals whose other copies"))
    #expect(try CommandRun("roc-data", export + ["--strict"]).status == 4)
    let clean = try CommandRun("roc-data", export + ["--dedup-photos"])
    #expect(clean.errors.contains("left out: 81 pictures"))
    // The direction is stated once and for all.
    let other = try CommandRun("roc-data", arguments + ["--lower-is-better"])
    #expect(other.status == 1 && other.errors.contains("is stored as higher is better"))
    let lower = try CommandRun(
      "roc-data",
      ["import", "table", "--name", "low", "--source", path, "--lower-is-better"] + database)
    #expect(lower.status == 0 && !lower.errors.contains("DMOS"))
    #expect(try rows("SELECT direction FROM datasets WHERE name = 'low'") == ["lower"])
    let known = try CommandRun(
      "roc-data", ["import", "aadb", "--source", path, "--lower-is-better"] + database)
    #expect(known.status == 64)
  }

  @Test func auditTellsOfPicturesThatMayStandTwice() throws {
    let path = try folder.write(
      "image,score\na.jpg,0.25\nset/a.jpg,0.25\nb.jpg,0.5\nset/b.jpg,0.75\n", to: "t.csv")
    _ = try CommandRun("roc-data", ["import", "table", "--source", path] + database)
    let audit = try CommandRun("roc-data", ["audit", "table", "--json"] + database)
    #expect(try JSON.parse(audit.output)["same_pictures"]?["n"]?.int == 1)
    let text = try CommandRun("roc-data", ["audit", "table"] + database)
    #expect(text.output.contains("set/a.jpg = a.jpg"))
  }

  /// What a source lacks, the dataset may have.
  @Test func notesSpeakOfTheDataset() throws {
    try folder.write("a.jpg 0.25\nb.jpg 0.5\n", to: "imgListTrainRegression_score.txt")
    try folder.write("a.jpg 0.5\n", to: "imgListTrainRegression_DoF.txt")
    func take(_ name: String) throws -> CommandRun {
      try CommandRun(
        "roc-data", ["import", "aadb", "--source", "\(folder.path)/\(name)"] + database)
    }
    let early = try take("imgListTrainRegression_DoF.txt")
    #expect(early.status == 6 && !early.errors.contains("none of ;"))
    _ = try take("imgListTrainRegression_score.txt")
    let late = try take("imgListTrainRegression_DoF.txt")
    #expect(late.status == 0 && !late.errors.contains("divides"))
  }

  /// A list's folder may tell which list it is.
  @Test func aListByItselfIsKnownByItsFolder() throws {
    let ava = (0..<40).map { "\($0 + 1) \(500 + $0) 0 1 5 17 38 36 15 6 5 \($0) 1 22 1396\n" }
    try folder.write(ava.joined(), to: "AVA.txt")
    try folder.write("500.jpg 1\n501.jpg 0\n", to: "ILGnet/AVA1/train.txt")
    for source in ["AVA.txt", "ILGnet/AVA1/train.txt"] {
      let run = try CommandRun(
        "roc-data", ["import", "ava", "--source", "\(folder.path)/\(source)"] + database)
      #expect(run.status == 0, "\(run.errors)")
    }
    #expect(
      try rows(
        """
        SELECT name || '/' || part || ' ' || key FROM split_schemes
        JOIN split_members ON scheme = split_schemes.id JOIN samples ON samples.id = sample
        ORDER BY 1
        """) == ["ilgnet/train 500.jpg", "ilgnet/train 501.jpg"])
  }

  /// What is stored counts, as what was said first does within one source.
  @Test func contradictingAttributesAreSetAside() throws {
    let first = try folder.write("image,score,sharp\na.jpg,3,1\nb.jpg,4,2\n", to: "first.csv")
    let second = try folder.write(
      "image,score,sharp\na.jpg,3,9\nb.jpg,4,2.0001\n", to: "second.csv")
    let arguments = ["import", "table", "--source"]
    _ = try CommandRun("roc-data", arguments + [first] + database)
    let run = try CommandRun("roc-data", arguments + [second] + database)
    #expect(run.status == 3)
    #expect(
      run.errors.contains(
        "second.csv:2: a.jpg has sharp 9.0 here and 1.0 in the database; set aside"))
    #expect(try rows("SELECT value FROM attributes ORDER BY sample") == ["1.0", "2.0"])
  }

  @Test func zeroBytesAmongLinesAreRefused() throws {
    let labels = try folder.write("image,score\na.jpg,1\nb.jpg,2\n", to: "l.csv")
    _ = try CommandRun("roc-data", ["import", "table", "--source", labels] + database)
    for text in ["a.jpg\nb.jpg\n\0\0\0", "[\"a.jpg\"]\0", "a.jpg\0b.jpg"] {
      let list = try folder.write(text, to: "list")
      let run = try CommandRun(
        "roc-data", ["add-split", "table", "mine", "--test", list] + database)
      #expect(run.status == 1 && run.errors.contains("zero bytes"), "\(run.errors)")
    }
  }
}
