import RocData
import RocMetrics
import RocTables
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
    let found = try file.pairs()
    #expect(found.pairs.predicted == [4.5, 6.5])
    #expect(found.pairs.truth == [5, 6])
    #expect(found.failures.isEmpty && found.count == 2)
  }

  @Test func countsWhatHasNoScore() throws {
    let folder = try TemporaryFolder()
    let path = try folder.write(
      "image,gt_score,score\na,5,nan\nb,,1\nc,5\nd,5,4\n", to: "p.csv")
    let found = try PredictionFile(path: path).pairs()
    #expect(found.pairs.count == 1 && found.count == 4)
    #expect(
      found.failures == [
        "\(path):2: score is no finite number", "\(path):3: gt_score is no finite number",
        "\(path):4: 2 fields, expected 3",
      ])
    let json = try folder.write(
      "[{\"gt_score\": 5, \"score\": null, \"error\": {\"message\": \"cut short\"}}]", to: "p.json")
    #expect(try PredictionFile(path: json).pairs().failures == ["\(json): record 1: cut short"])
  }

  @Test func readsDistributions() throws {
    let folder = try TemporaryFolder()
    let csv = try PredictionFile(
      path: try folder.write("gt_score,score,p1,p2,t1,t2\n1,1,0.5,0.5,1,0\n", to: "p.csv")
    ).pairs()
    #expect(csv.pairs.distributions.first?.predicted == [0.5, 0.5])
    #expect(csv.pairs.distributions.first?.truth == [1, 0])
    let partly = try PredictionFile(
      path: try folder.write(
        "{\"gt_score\":1,\"score\":1,\"distribution\":[1],\"target\":[1]}{\"gt_score\":2,\"score\":2}",
        to: "q.json")
    ).pairs()
    #expect(partly.pairs.distributions.isEmpty && partly.pairs.count == 2)
    let hexadecimal = try PredictionFile(
      path: try folder.write("gt_score,score\n1,0x10\n2,2\n", to: "h.csv")
    ).pairs()
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
    ("a,b\n1,2\n", ":1: the columns are a,b, expected at least score, and gt_score or image"),
    ("{\"score\": 1}", "holds no ground truth (gt_score)"),
    ("{\"gt_score\": 1, \"x\": 2}", "record 1: needs score, logits, probs"),
    ("[{\"gt_score\": 1, \"score\": 1}", "record 2: not JSON:"),
    ("gt_score,score\n1,\"2", ":2: a quote opens here and never closes"),
  ])
  func saysWhatIsWrong(_ text: String, _ message: String) throws {
    let folder = try TemporaryFolder()
    let path = try folder.write(text, to: "p")
    let error = #expect(throws: DataError.self) { _ = try PredictionFile(path: path).pairs() }
    #expect(error?.message.contains(message) == true, "\(error?.message ?? "")")
  }

  /// The same two pictures in the result files of other programs.
  @Test(arguments: [
    (
      "{\"img_path\": \"a.jpg\", \"gt_score\": 2.5, \"logits\": {\"excellent\": 1, \"good\": 1, \"fair\": 1, \"poor\": 1, \"bad\": 1}}{\"img_path\": \"b.jpg\", \"gt_score\": \"4 \", \"logits\": {\"excellent\": 90, \"good\": 1, \"fair\": 1, \"poor\": 1, \"bad\": 1}}",
      [3.0, 5.0], "logits of five levels, softmax, expectation of 5 to 1"
    ),
    (
      "{\"id\": \"a.jpg->2.5\", \"probs\": {\"excellent\": 0, \"good\": 0, \"fair\": 1, \"poor\": 0, \"bad\": 0}}\n{\"id\": \"b.jpg->4\", \"probs\": {\"excellent\": 0.5, \"good\": 0.5, \"fair\": 0, \"poor\": 0, \"bad\": 0}}",
      [3.0, 4.5], "probabilities of five levels, expectation of 5 to 1"
    ),
    (
      "{\"img_path\": \"a.jpg\", \"gt_score\": 2.5, \"logit_good\": 1, \"logit_poor\": 1}{\"img_path\": \"b.jpg\", \"gt_score\": 4, \"logit_good\": 99, \"logit_poor\": 1}",
      [0.5, 1.0], "logits of good and poor, score 1/(1+exp(poor-good))"
    ),
    (
      "a.jpg mean: 3.000 | std: 1.3 | GT: 2.5\nb.jpg mean: 4.5 | std: 1.3 | GT: 4\r\n",
      [3.0, 4.5], "lines of NIMA, mean and GT"
    ),
  ])
  func readsOthersResults(_ text: String, _ scores: [Double], _ form: String) throws {
    let folder = try TemporaryFolder()
    let file = try PredictionFile(path: try folder.write(text, to: "p"))
    let found = try file.pairs()
    #expect(file.form.rawValue == form)
    #expect(found.images == ["a.jpg", "b.jpg"] && found.pairs.truth == [2.5, 4])
    #expect(zip(found.pairs.predicted, scores).allSatisfy { abs($0 - $1) < 1e-12 })
  }

  @Test(arguments: [
    "x/a.jpg,3\nb.jpg,4.5\n", "img_name,topiq_iaa\na.jpg,3\nb.jpg,4.5\n",
    "{\"image\": \"folder\\\\a.jpg\", \"score\": 3}\n{\"image\": \"b\", \"score\": 4.5}\n",
  ])
  func takesGroundTruthFromElsewhere(_ text: String) throws {
    let folder = try TemporaryFolder()
    let file = try PredictionFile(path: try folder.write(text, to: "p.csv"))
    let error = #expect(throws: DataError.self) { try file.pairs() }
    #expect(error?.message.contains("--ground-truth") == true)
    let labels = try folder.write(
      "image,gt_score,t1,t2\nb.jpg,4,0,1\na.jpg,2.5,1,0\nc.jpg,1,1,0\n", to: "labels.csv")
    let found = try file.pairs(truth: try GroundTruth(path: labels))
    #expect(found.pairs.truth == [2.5, 4] && found.pairs.predicted == [3, 4.5])
    let other = try folder.write(
      "[{\"image\": \"a.jpg\", \"gt_score\": 2.5, \"conversations\": []}]", to: "labels.json")
    let partly = try file.pairs(truth: try GroundTruth(path: other))
    #expect(partly.pairs.count == 1 && partly.failures.count == 1)
    #expect(partly.failures[0].contains("has no ground truth"))
  }

  @Test func neverMixesFormsInOneFile() throws {
    let folder = try TemporaryFolder()
    let path = try folder.write(
      "{\"gt_score\": 1, \"score\": 1}{\"gt_score\": 1, \"logit_good\": 1, \"logit_poor\": 2}",
      to: "p.json")
    let error = #expect(throws: DataError.self) { _ = try PredictionFile(path: path) }
    #expect(error?.message.contains("record 2: holds logits of good and poor") == true)
  }
}
