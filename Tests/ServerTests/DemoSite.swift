import Foundation
import RocTestSupport
import Testing

/// The demo's dataset with two runs, of which one has a training, made once for all tests.
struct DemoSite {
  let folder: TemporaryFolder
  let server: RunningServer

  /// - Throws: When a command fails.
  init() throws {
    folder = try TemporaryFolder()
    let (path, checkpoint) = (folder.path, "\(Fixture.repository)/Examples/demo-checkpoint")
    let database = ["--db", "\(path)/a.sqlite"]
    func run(_ command: String, _ arguments: [String]) throws {
      let run = try CommandRun(command, arguments + database)
      try #require(run.status == 0, "\(command): \(run.errors)")
    }
    let made = try CommandRun("roc-data", ["demo", "--output", "\(path)/demo", "--images", "240"])
    try #require(made.status == 0, "\(made.errors)")
    try run(
      "roc-data", ["import", "ava", "--source", "\(path)/demo", "--images", "\(path)/demo/images"])
    try run("roc-data", ["verify-images", "ava"])
    let split = ["--dataset", "ava", "--split"]
    try run(
      "roc-train",
      [
        "--model-name-or-path", checkpoint, "--train", "head", "--output-dir", "\(path)/trained",
        "--num-train-epochs", "3",
      ] + split + ["train"])
    try run("roc-eval", ["--checkpoint", checkpoint, "--precision", "f32"] + split + ["test"])
    try run(
      "roc-eval", ["--checkpoint", "\(path)/trained", "--precision", "f32"] + split + ["test"])
    server = try RunningServer(["--checkpoint", checkpoint, "--precision", "f32"] + database)
  }

  var address: String { "http://127.0.0.1:\(server.port)" }
}
