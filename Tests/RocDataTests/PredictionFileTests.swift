import RocData
import RocMetrics
import RocTestSupport
import Testing

struct PredictionFileTests {
  @Test(arguments: [
    "image,gt_score,score\na.jpg,5,4.5\nb.jpg,6,6.5\n",
    "\u{FEFF}score , image, gt_score\r\n4.5,\"a,\"\"1\"\".jpg\",5\r\n6.5,b.jpg,6",
    "[{\"gt_score\": 5, \"score\": 4.5}, {\"gt_score\": 6, \"score\": 6.5}]",
    "{\"gt_score\": 5, \"score\": 4.5}\n{\"gt_score\": 6, \"score\": 6.5}\n",
    "{\"gt_score\": 5, \"score\": 4.5}{\"gt_score\": 6, \"score\": 6.5}",
  ])
  func readsEveryForm(_ text: String) throws {
    let folder = try TemporaryFolder()
    let file = try PredictionFile(path: try folder.write(text, to: "p"))
    #expect(file.pairs.predicted == [4.5, 6.5])
    #expect(file.pairs.truth == [5, 6])
    #expect(file.failures.isEmpty && file.count == 2)
  }

  @Test func countsWhatHasNoScore() throws {
    let folder = try TemporaryFolder()
    let path = try folder.write(
      "image,gt_score,score\na,5,nan\nb,,1\nc,5\nd,5,4\n", to: "p.csv")
    let file = try PredictionFile(path: path)
    #expect(file.pairs.count == 1 && file.count == 4)
    #expect(
      file.failures == [
        "\(path):2: score is no finite number", "\(path):3: gt_score is no finite number",
        "\(path):4: 2 fields, expected 3",
      ])
    let json = try folder.write(
      "[{\"gt_score\": 5, \"score\": null, \"error\": {\"message\": \"cut short\"}}]", to: "p.json")
    #expect(try PredictionFile(path: json).failures == ["\(json): record 1: cut short"])
  }

  @Test func readsDistributions() throws {
    let folder = try TemporaryFolder()
    let csv = try PredictionFile(
      path: try folder.write("gt_score,score,p1,p2,t1,t2\n1,1,0.5,0.5,1,0\n", to: "p.csv"))
    #expect(csv.pairs.distributions.first?.predicted == [0.5, 0.5])
    #expect(csv.pairs.distributions.first?.truth == [1, 0])
    let partly = try PredictionFile(
      path: try folder.write(
        "{\"gt_score\":1,\"score\":1,\"distribution\":[1],\"target\":[1]}{\"gt_score\":2,\"score\":2}",
        to: "q.json"))
    #expect(partly.pairs.distributions.isEmpty && partly.pairs.count == 2)
    let hexadecimal = try PredictionFile(
      path: try folder.write("gt_score,score\n1,0x10\n2,2\n", to: "h.csv"))
    #expect(hexadecimal.failures.count == 1)
  }

  @Test(arguments: [
    ("", "the file is empty"), ("gt_score,score\n", "no records in it"), ("[]", "no records"),
    (
      "{\"gt_score\":5,\"score\":4,\"distribution\":[0.5,null,0.5],\"target\":[0.5,0.5]}",
      "record 1: distribution holds something that is no number of 0 or more"
    ),
    ("gt_score,score,p1,p2,t1,t2\n1,1,7,-3,1,0\n", ":2: p1…p2 holds something that is no number"),
    ("gt_score,score,p1,p2,t1,t2\n1,1,9,1,1,0\n", ":2: p1…p2 sums to 10.0, expected 1"),
    ("a,b\n1,2\n", ":1: the columns are a,b, expected at least gt_score and score"),
    ("{\"score\": 1}", "record 1: needs gt_score and score"),
    ("[{\"gt_score\": 1, \"score\": 1}", "record 2: not JSON:"),
    ("gt_score,score\n1,\"2", ":2: a quote opens here and never closes"),
  ])
  func saysWhatIsWrong(_ text: String, _ message: String) throws {
    let folder = try TemporaryFolder()
    let path = try folder.write(text, to: "p")
    let error = #expect(throws: DataError.self) { _ = try PredictionFile(path: path) }
    #expect(error?.message.contains(message) == true, "\(error?.message ?? "")")
  }
}
