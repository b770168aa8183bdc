import Foundation
import RocJSON
import RocTestSupport
import Testing

/// The demo's dataset is called made up wherever it is shown, and others by the name they were given.
struct MadeUpTests {
  @Test func theDemoSaysThatItIsMadeUp() throws {
    let folder = try TemporaryFolder()
    let database = ["--db", "\(folder.path)/roc.sqlite"]
    let demo = "\(folder.path)/demo"
    _ = try CommandRun("roc-data", ["demo", "--output", demo, "--images", "30"])
    let imported = try CommandRun(
      "roc-data",
      ["import", "ava", "--name", "demo", "--source", demo, "--images", "\(demo)/images"] + database
    )
    #expect(imported.errors.contains("made up by roc-data demo"))
    let list = try CommandRun("roc-data", ["list"] + database)
    #expect(list.output.contains("demo (made up)"))
    _ = try CommandRun("roc-data", ["card", "demo", "--output", folder.path] + database)
    let card = try String(contentsOfFile: "\(folder.path)/demo.md", encoding: .utf8)
    #expect(card.hasPrefix("# demo (made up)\n"))
    let latex = "\(folder.path)/t.tex"
    let run = try CommandRun(
      "roc-eval",
      [
        "--checkpoint", Fixture.path("tiny-f32"), "--dataset", "demo", "--split", "test",
        "--resamples", "0", "--latex", latex,
      ] + database)
    #expect(run.output.hasPrefix("demo (made up) official/test"), "\(run.output)")
    #expect(try String(contentsOfFile: latex, encoding: .utf8).contains("demo (made up)"))
    _ = try CommandRun("roc-eval", ["report", "1", "--output", "\(folder.path)/page"] + database)
    let page = try String(contentsOfFile: "\(folder.path)/page/index.html", encoding: .utf8)
    #expect(page.contains("demo (made up)"))
    let table = try CommandRun("roc-eval", ["table", "1", "--run", "1=Ours"] + database)
    #expect(table.status == 4 && table.output.isEmpty)
    #expect(table.errors.contains("demo (made up) is a made-up dataset, not AVA"))
    let forced = try CommandRun(
      "roc-eval", ["table", "1", "--run", "1=Ours", "--force"] + database)
    #expect(forced.status == 0)
    #expect(forced.output.contains("is a made-up dataset, not AVA"))
    // Real labels never join it, and lists that do say nothing about it.
    let real = try folder.write(
      "1 953619 0 1 5 17 38 36 15 6 5 1 1 22 1396\n", to: "real/AVA.txt")
    let mixed = try CommandRun(
      "roc-data", ["import", "ava", "--name", "demo", "--source", real] + database)
    #expect(mixed.status != 0 && mixed.errors.contains("never mixed"), "\(mixed.errors)")
  }

  @Test func anotherNameIsWhatItIsCalled() throws {
    let folder = try TemporaryFolder()
    let source = try folder.write("image,score\na.jpg,1\nb.jpg,2\n", to: "set/merge/test.csv")
    let run = try CommandRun(
      "roc-data",
      [
        "import", "tad66k", "--name", "mine", "--source", "\(folder.path)/set", "--db",
        "\(folder.path)/roc.sqlite",
      ])
    #expect(run.status == 0, "\(run.errors) \(source)")
    let list = try CommandRun("roc-data", ["list", "--json", "--db", "\(folder.path)/roc.sqlite"])
    #expect(try JSON.parse(list.output)["datasets"]?.array?.first?["title"]?.string == "mine")
  }
}
