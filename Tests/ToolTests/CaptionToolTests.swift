import RocJSON
import RocTestSupport
import Testing

/// Karpathy-style files of AVA's comments count pictures in `imgid` and name them in `filename`.
struct CaptionToolTests {
  @Test func filesThatCountPicturesJoinByFileName() throws {
    let folder = try TemporaryFolder()
    let database = ["--db", "\(folder.path)/t.sqlite"]
    let ids = (0..<20).map { 900 + 3 * $0 }
    let rows = ids.enumerated().map { "\($0 + 1) \($1) 0 1 5 17 38 36 15 6 5 1 1 22 1396\n" }
    let labels = try folder.write(rows.joined(), to: "AVA.txt")
    _ = try CommandRun("roc-data", ["import", "ava", "--source", labels] + database)
    // The last record joins by no name at all.
    let records = (ids + [77]).enumerated().map { place, id in
      """
      {"filename": "\(id).jpg", "imgid": \(place), "split": "train", "sentences": [{"raw": "\(id)!"}]}
      """
    }
    let file = try folder.write(
      "{\"images\": [\(records.joined(separator: ",\n"))]}", to: "captions.json")
    let run = try CommandRun(
      "roc-data", ["import", "ava-captions", "--source", file, "--json"] + database)
    #expect(run.status == 3)
    let report = try JSON.parse(run.output)
    #expect(report["images"]?.int == 20, "\(run.errors)")
    #expect(report["skipped"]?.array?.count == 1)
    #expect(run.errors.contains("picture 77 has no votes in ava"))
  }
}
