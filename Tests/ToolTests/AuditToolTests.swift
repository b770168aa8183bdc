import Foundation
import RocImage
import RocJSON
import RocTestSupport
import Testing

/// Leaks between train and test, as commands show and refuse them.
struct AuditToolTests {
  @Test func findsTheSamePictureUnderTwoNames() throws {
    let source = try MadeUpAVA(test: [12])
    // 11 is a training picture with the content of the test picture 12.
    try source.addPictures([11, 12])
    try source.addPictures([13], from: "images/noise_56x56.png")
    let database = ["--db", source.database]
    _ = try CommandRun(
      "roc-data", ["import", "ava", "--source", source.path, "--images", source.images] + database)
    // Contents are unknown before the pictures are decoded.
    #expect(try CommandRun("roc-data", ["audit", "ava"] + database).status == 0)
    _ = try CommandRun("roc-data", ["verify-images", "ava"] + database)
    let audit = try CommandRun("roc-data", ["audit", "ava", "--json"] + database)
    #expect(audit.status == 4)
    let leak = try #require(try JSON.parse(audit.output)["leaks"]?.array?.first)
    #expect(leak["kind"] == "content" && leak["parts"] == ["official/train", "official/test"])
    #expect(leak["n"] == [1, 1] && leak["examples"] == ["12.jpg"])

    let export = ["export", "ava", "--split", "train"] + database
    let refused = try CommandRun("roc-data", export)
    #expect(refused.status == 4 && refused.output.isEmpty)
    #expect(
      refused.errors == """
        Error: official/test: 1 of 1 contents are also in official/train (1 of its 9); roc-data \
        audit ava lists more; --force exports anyway

        """)
    #expect(try CommandRun("roc-data", export + ["--force"]).status == 0)
    #expect(
      try CommandRun("roc-data", ["export", "ava", "--split", "test"] + database).status == 0)
  }

  @Test func removesPhotosThatTheTestPartHasInAnotherFolder() throws {
    let folder = try TemporaryFolder()
    try folder.write(
      "ID,color,MOS,probability\nred/a.jpg,5,5,0\nred/b.jpg,6,5,0\nblue/b.jpg,6,5,0\n",
      to: "source/1train.csv")
    try folder.write("ID,color,MOS,probability\nwhite/b.jpg,6,5,0\n", to: "source/1test.csv")
    let database = ["--db", "\(folder.path)/roc.sqlite"]
    _ = try CommandRun(
      "roc-data", ["import", "icaa17k", "--source", "\(folder.path)/source"] + database)
    let audit = try CommandRun("roc-data", ["audit", "icaa17k"] + database)
    #expect(audit.status == 4)
    #expect(
      audit.output == """
        Leaks inside a scheme:
          official/test: 1 of 1 base names are also in official/train (2 of its 3)

        """)
    let export = ["export", "icaa17k", "--split", "train", "--format", "csv"] + database
    let warned = try CommandRun("roc-data", export)
    #expect(warned.status == 0 && warned.errors.hasPrefix("Warning: official/test: 1 of 1"))
    #expect(try CommandRun("roc-data", export + ["--strict"]).status == 4)
    let clean = try CommandRun("roc-data", export + ["--dedup-photos"])
    #expect(clean.output == "image,gt_score\nred/a.jpg,5.0\n")
    #expect(clean.errors.hasPrefix("left out: 2 pictures whose photo is in the test part\n"))
  }

  @Test func addsASplitAndComparesAList() throws {
    let source = try MadeUpAVA()
    let database = ["--db", source.database]
    _ = try CommandRun("roc-data", ["import", "ava", "--source", source.path] + database)
    let list = try source.folder.write("12\n13.jpg\n77\n", to: "mine.txt")
    let records = try source.folder.write(
      "[{\"image\": \"ava_images/12.jpg\"}, {\"img_path\": \"x/14.jpg\"}]", to: "train.json")
    let added = try CommandRun(
      "roc-data", ["add-split", "ava", "mine", "--test", list] + database)
    #expect(added.status == 3 && added.output == "ava mine/test: 2 pictures\n")
    #expect(added.errors == "Warning: 77 is not in ava\n")
    let stats = try CommandRun(
      "roc-data", ["stats", "ava", "--split", "mine/test", "--json"] + database)
    #expect(try JSON.parse(stats.output)["n"]?.int == 2)
    let audit = try CommandRun(
      "roc-data", ["audit", "ava", "--against", records, "--json"] + database)
    let found = try #require(try JSON.parse(audit.output)["against"]?.array)
    #expect(
      found.contains { $0["parts"] == ["official/test", .string(records)] && $0["n"] == [2, 2] })
    #expect(
      try CommandRun("roc-data", ["add-split", "ava", "a/b", "--test", list] + database).status
        == 64)
    #expect(try CommandRun("roc-data", ["add-split", "ava", "m"] + database).status == 64)
  }

  /// A test picture that is a smaller copy of a training picture is a leak, whatever its name.
  @Test func findsTheSamePhotoInAnotherSize() throws {
    let source = try MadeUpAVA(test: [12])
    let photo = MadeUpPicture.scene(1, width: 480, height: 320)
    let smaller = MadeUpPicture.scene(1, width: 240, height: 160)
    let other = MadeUpPicture.scene(2, width: 480, height: 320)
    try source.folder.write(Data(photo.jpeg(quality: 95)), to: "images/11.jpg")
    try source.folder.write(Data(smaller.jpeg(quality: 60)), to: "images/12.jpg")
    try source.folder.write(Data(other.jpeg(quality: 90)), to: "images/13.jpg")
    let database = ["--db", source.database]
    _ = try CommandRun(
      "roc-data", ["import", "ava", "--source", source.path, "--images", source.images] + database)
    #expect(try CommandRun("roc-data", ["audit", "ava"] + database).status == 0)
    _ = try CommandRun("roc-data", ["verify-images", "ava"] + database)
    let audit = try CommandRun("roc-data", ["audit", "ava", "--json"] + database)
    #expect(audit.status == 4)
    let leak = try #require(try JSON.parse(audit.output)["leaks"]?.array?.first)
    #expect(leak["kind"] == "perceptual" && leak["examples"]?.array == ["12.jpg ≈ 11.jpg"])
    let export = try CommandRun("roc-data", ["export", "ava", "--split", "train"] + database)
    #expect(export.status == 4 && export.errors.contains("--force exports anyway"))
  }
}
