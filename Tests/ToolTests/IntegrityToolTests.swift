import Foundation
import RocTestSupport
import Testing

/// Commands notice weights that are damaged; scoring looks once at each file.
struct IntegrityToolTests {
  @Test func looksOnceBeforeItScores() throws {
    let folder = try TemporaryFolder()
    let checkpoint = "\(folder.path)/checkpoint"
    try FileManager.default.copyItem(
      atPath: Fixture.path("tiny-f16-sharded-bin"), toPath: checkpoint)
    let environment = ["XDG_CACHE_HOME": "\(folder.path)/cache"]
    func score() throws -> CommandRun {
      try CommandRun(
        "roc-eval",
        ["score", "--checkpoint", checkpoint, Fixture.path("images/photo_640x427.jpg")],
        environment: environment)
    }
    #expect(try score().status == 0)
    let known = "\(folder.path)/cache/roc/checked"
    #expect(try String(contentsOfFile: known, encoding: .utf8).split(separator: "\n").count == 3)

    let path = "\(checkpoint)/pytorch_model-00001-of-00003.bin"
    let before = try FileManager.default.attributesOfItem(atPath: path)[.modificationDate]
    let file = try FileHandle(forUpdating: URL(fileURLWithPath: path))
    try file.seek(toOffset: 109_134)
    let byte = try #require(try file.read(upToCount: 1)?.first)
    try file.seek(toOffset: 109_134)
    try file.write(contentsOf: [byte ^ 4])
    try file.close()
    // A file that was written is looked at again.
    let damaged = try score()
    #expect(damaged.status == 5 && damaged.errors.contains("is damaged"), "\(damaged.errors)")
    #expect(damaged.output.isEmpty)
    // Only one that looks untouched passes unseen, and not for those that make something of it.
    try FileManager.default.setAttributes(
      [.modificationDate: try #require(before as? Date)], ofItemAtPath: path)
    for arguments in [
      ["inspect", checkpoint],
      ["convert", checkpoint, "\(folder.path)/made", "--dtype", "bf16"],
    ] {
      let run = try CommandRun("roc-model", arguments, environment: environment)
      #expect(run.status == 5 && run.errors.contains("tensor model.layers.0"), "\(run.errors)")
    }
    #expect(!FileManager.default.fileExists(atPath: "\(folder.path)/made"))
    let training = try CommandRun(
      "roc-train",
      [
        "--model-name-or-path", checkpoint, "--output-dir", "\(folder.path)/trained",
        "--data-path", Fixture.path("training/plain.samples.json"), "--image-folder",
        Fixture.path("training/images"),
      ], environment: environment)
    #expect(training.status == 5 && training.errors.contains("is damaged"), "\(training.errors)")
  }

  @Test func scoresWithoutAHome() throws {
    let run = try CommandRun(
      "roc-eval",
      [
        "score", "--checkpoint", Fixture.path("tiny-f16-sharded-bin"),
        Fixture.path("images/photo_640x427.jpg"),
      ], environment: ["XDG_CACHE_HOME": "/proc/none", "HOME": ""])
    #expect(run.status == 0, "\(run.errors)")
  }
}
