import RocData
import RocEvaluation
import RocReport
import RocScore
import RocStore
import RocTestSupport
import Testing

/// A run's numbers as cells of a paper's table.
struct OwnRowsTests {
  /// Table 5 has a block for each base model; other tables know no such thing.
  @Test func runsBelongToTheirBackbone() throws {
    let folder = try TemporaryFolder()
    try folder.write("image,score\na.jpg,4\nb.jpg,6\n", to: "set/merge/test.csv")
    try folder.write("image,score\nc.jpg,4\n", to: "set/merge/train.csv")
    let store = try Store(path: "\(folder.path)/roc.sqlite", creates: true)
    _ = try TableImporter(try Manifest.bundled("tad66k"), source: "\(folder.path)/set")
      .run(into: store, images: nil, replace: false)
    let dataset = try store.dataset("tad66k")
    let key = OwnRow.Key("TAD66K", "MAE")
    for (backbone, base) in [
      (nil, "mPLUG-Owl2"), ("LLaVA-1.5", "LLaVA 1.5"), ("Qwen2-VL", "Qwen2-VL"),
    ] as [(String?, String)] {
      var record = RunRecord(
        dataset: dataset.id ?? 0, fingerprint: base, checkpoint: "model", checkpointSHA256: "x",
        question: "?", preprocessing: "", precision: "f32", engine: "1",
        range: ScoreRange(low: 0, high: 10), tokens: 10)
      record.backbone = backbone
      record.id = try store.findOrInsert(record)
      try store.save(
        try store.samples(dataset, split: "test").samples.map {
          PredictionRecord(
            sample: $0.id, scores: [5], distributions: [], text: nil, errorCode: nil,
            errorMessage: nil, milliseconds: 1)
        }, run: record.id ?? 0)
      // As it is stored, not as it was made.
      let (stored, _) = try store.run(record.id ?? 0)
      #expect(stored.backbone == backbone)
      let run = try StoredRun(store, stored, dataset, split: "test")
      var rows = OwnRows(force: true, splitsTasks: true)
      try rows.add(run, nil, name: nil, keys: [key])
      #expect(rows.rows.map(\.base) == [base])
      var together = OwnRows(force: true, splitsTasks: true, base: "Qwen2-VL")
      try together.add(run, nil, name: nil, keys: [key])
      #expect(together.rows.map(\.base) == ["Qwen2-VL"])
    }
  }

  /// The score runs from 0 to 1 and is good above 0.5; attributes run from -1 to 1 and are good
  /// above 0.
  @Test func attributesAreGoodAboveTheMiddleOfTheirOwnScale() throws {
    let folder = try TemporaryFolder()
    let values = [-0.8, -0.2, 0.1, 0.3, 0.4, 0.9]
    for (name, numbers) in [("score", values.map { ($0 + 1) / 2 }), ("Light", values)] {
      let rows = numbers.enumerated().map { "\($0.offset).jpg \($0.element)" }
      try folder.write(
        rows.joined(separator: "\n") + "\n",
        to: "aadb/imgListTestNewRegression_\(name).txt")
    }
    let store = try Store(path: "\(folder.path)/roc.sqlite", creates: true)
    let importer = try TableImporter(try Manifest.bundled("aadb"), source: "\(folder.path)/aadb")
    _ = try importer.run(into: store, images: nil, replace: false)
    let dataset = try store.dataset("aadb")
    var record = RunRecord(
      dataset: dataset.id ?? 0, fingerprint: "x", checkpoint: "model", checkpointSHA256: "x",
      question: "?", preprocessing: "", precision: "f32", engine: "1",
      range: ScoreRange(low: 0, high: 1), tokens: 10, targets: ["Light"])
    record.id = try store.findOrInsert(record)
    // All answers are good, four pictures of six are.
    let samples = try store.samples(dataset, split: "test").samples
    try store.save(
      samples.map {
        PredictionRecord(
          sample: $0.id, scores: [0.9], distributions: [], text: nil, errorCode: nil,
          errorMessage: nil, milliseconds: 1)
      }, run: record.id ?? 0)
    let stored = try StoredRun(store, record, dataset, split: "test")
    let key = OwnRow.Key("AADB", "ACC", attribute: "Light")
    var rows = OwnRows(force: true)
    try rows.add(stored, nil, name: nil, keys: [key])
    #expect(try #require(rows.rows.first?.values[key]) == 4.0 / 6)
  }
}
