import RocData
import RocEvaluation
import RocScore
import RocStore
import RocTestSupport
import Testing

/// A run enters a paper's table only beside numbers that were measured on the same pictures and
/// labels.
struct TableAdmissionTests {
  private let folder: TemporaryFolder
  private let store: Store

  init() throws {
    folder = try TemporaryFolder()
    store = try Store(path: "\(folder.path)/roc.sqlite", creates: true)
    for (part, first) in [("train", 0), ("test", 1000)] {
      let rows = (0..<200).map { "\(first + $0).jpg,\(1 + Double(($0 * 37) % 80) / 10)" }
      try folder.write(
        "image,score\n" + rows.joined(separator: "\n") + "\n", to: "set/merge/\(part).csv")
    }
    let importer = try TableImporter(
      try Manifest.bundled("tad66k"), source: "\(folder.path)/set")
    _ = try importer.run(into: store, images: nil, replace: false)
  }

  /// A run with a score for all pictures but the first few, which failed or were never scored.
  private func run(
    failed: Int = 0, unscored: Int = 0, split: String = "test"
  ) throws -> StoredRun {
    let dataset = try store.dataset("tad66k")
    var record = RunRecord(
      dataset: dataset.id ?? 0, fingerprint: "\(failed) \(unscored)", checkpoint: "model",
      checkpointSHA256: "x", question: "?", preprocessing: "", precision: "f32", engine: "1",
      range: ScoreRange(low: 0, high: 10), tokens: 10)
    record.id = try store.findOrInsert(record)
    let samples = try store.samples(dataset, split: split).samples
    let predictions = samples.dropFirst(unscored).enumerated().map { place, sample in
      let isFailed = place < failed
      return PredictionRecord(
        sample: sample.id, scores: isFailed ? [] : [sample.score], distributions: [], text: nil,
        errorCode: isFailed ? "missing" : nil, errorMessage: nil, milliseconds: 1)
    }
    try store.save(predictions, run: record.id ?? 0)
    return try StoredRun(store, record, dataset, split: split)
  }

  /// What this made-up split would be known by.
  private func benchmark(
    pictures: Int = 200, sha256: String? = nil, mean: Double? = nil
  ) throws -> Manifest.Benchmark {
    let stored = try run()
    let scores = stored.samples.map(\.score)
    return .init(
      pictures: pictures, sha256: sha256 ?? stored.splitSHA256,
      mean: mean ?? scores.reduce(0, +) / Double(scores.count))
  }

  private func admission(
    _ stored: StoredRun, _ benchmark: Manifest.Benchmark?
  ) -> TableAdmission { TableAdmission(stored, as: "TAD66K", benchmark: benchmark) }

  @Test func letsTheSameSplitIn() throws {
    let found = admission(try run(), try benchmark())
    #expect(found.differences.isEmpty && found.remarks.isEmpty)
  }

  @Test func namesWhatDiffers() throws {
    func differences(_ stored: StoredRun, _ benchmark: Manifest.Benchmark?) -> String {
      admission(stored, benchmark).differences.joined(separator: "; ")
    }
    // By the program's own manifest this is not TAD66K, whatever its name.
    #expect(differences(try run(), nil).contains("has 200 pictures, that of TAD66K 14079"))
    #expect(
      differences(try run(), try benchmark(sha256: "0")).contains("holds other pictures"))
    #expect(
      differences(try run(), try benchmark(mean: 5.5)).contains("those of TAD66K have 5.5000"))
    #expect(
      differences(try run(split: "train"), try benchmark()).contains("on merge/train, not merge"))
    #expect(differences(try run(unscored: 1), try benchmark()).contains("over 199 of 200"))
    #expect(differences(try run(failed: 3), try benchmark()).contains("over 197 of 200"))
  }

  @Test func countsMissingPicturesInARemark() throws {
    let found = admission(try run(failed: 2), try benchmark())
    #expect(found.differences.isEmpty)
    #expect(found.remarks == ["TAD66K: 2 of 200 pictures are missing or have no score"])
  }
}
