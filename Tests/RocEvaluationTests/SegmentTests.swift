import Foundation
import RocEvaluation
import RocFiles
import RocNames
import RocScore
import RocStore
import RocTestSupport
import Testing

struct ShardTests {
  @Test func everyKeyBelongsToOneShard() {
    let keys = (0..<2000).map { ImageKey("folder/\($0).jpg") }
    for count in [1, 3, 8] {
      let shards = (1...count).compactMap { Shard(index: $0, count: count) }
      #expect(shards.count == count)
      for key in keys { #expect(shards.filter { $0.contains(key) }.count == 1) }
      for shard in shards {
        // Near an equal share: six standard deviations.
        let share = Double(keys.filter(shard.contains).count)
        let mean = 2000 / Double(count)
        #expect(abs(share - mean) <= 6 * mean.squareRoot() || count == 1)
      }
    }
  }

  @Test(arguments: ["0/3", "4/3", "1/0", "x", "1", "1/2/3", "-1/3", ""])
  func rejectsMalformedShards(_ text: String) { #expect(Shard(text) == nil) }

  @Test func readsTheEnvironment() throws {
    #expect(try Shard.detect([:]) == nil)
    #expect(try Shard.detect(["ROC_SHARD": "2/5"])?.shard == Shard("2/5"))
    let array = [
      "SLURM_ARRAY_TASK_ID": "14", "SLURM_ARRAY_TASK_MIN": "10", "SLURM_ARRAY_TASK_COUNT": "4",
      "SLURM_ARRAY_TASK_STEP": "2", "SLURM_PROCID": "0", "SLURM_NTASKS": "1",
    ]
    #expect(try Shard.detect(array)?.shard == Shard("3/4"))
    let mpi = ["OMPI_COMM_WORLD_RANK": "0", "OMPI_COMM_WORLD_SIZE": "2"]
    #expect(try Shard.detect(mpi)?.shard == Shard("1/2"))
    #expect(try Shard.detect(mpi)?.from == "OMPI_COMM_WORLD_RANK")
    // What gives no share must not become the whole.
    for wrong in [
      ["ROC_SHARD": "9/3"], ["ROC_SHARD": "foo"], ["SLURM_ARRAY_TASK_ID": "5"],
      [
        "SLURM_ARRAY_TASK_ID": "5", "SLURM_ARRAY_TASK_MIN": "1", "SLURM_ARRAY_TASK_COUNT": "2",
      ],
    ] {
      #expect(throws: SegmentError.self) { _ = try Shard.detect(wrong) }
    }
    // One process is no share of anything.
    #expect(try Shard.detect(["SLURM_PROCID": "0", "SLURM_NTASKS": "1"]) == nil)
  }
}

struct SegmentTests {
  private let folder: TemporaryFolder
  private let shard = Shard(index: 1, count: 2)

  init() throws { folder = try TemporaryFolder() }

  private func header(_ checkpoint: String = "s") -> SegmentHeader {
    SegmentHeader(
      dataset: "ava", split: "official/test", splitSHA256: "h", count: 3,
      run: RunRecord(
        dataset: 0, fingerprint: "f\(checkpoint)", checkpoint: "c", checkpointSHA256: checkpoint,
        question: "q", preprocessing: "p", precision: "f32", engine: "e",
        range: ScoreRange(low: 1, high: 10), tokens: 2))
  }

  private func prediction(_ scores: [Double], error: String? = nil) -> PredictionRecord {
    PredictionRecord(
      sample: 0, scores: scores, distributions: scores.map { [0.1 + 0.2, $0 / 3] }, text: "ö\n\"",
      errorCode: error, errorMessage: error.map { "\($0)!" }, milliseconds: 1.5)
  }

  private var path: String { "\(folder.path)/s/shard-0001-of-0002.jsonl" }

  private func writer(_ checkpoint: String = "s", index: Int = 1) throws -> SegmentWriter {
    let shard = try #require(Shard(index: index, count: 2))
    return try SegmentWriter(folder: "\(folder.path)/s", shard: shard, header: header(checkpoint))
  }

  @Test func readsBackWhatItWrites() throws {
    var first: SegmentWriter? = try writer()
    try first?.write([("a.jpg", prediction([5.125, 0.1])), ("b.jpg", prediction([], error: "x"))])
    first = nil
    let again = try writer()
    #expect(!again.wasTorn && again.known.count == 2)
    #expect(again.known["a.jpg"]?.scores == [5.125, 0.1])
    #expect(again.known["a.jpg"]?.distributions == prediction([5.125, 0.1]).distributions)
    #expect(again.known["a.jpg"]?.text == "ö\n\"")
    #expect(again.known["b.jpg"]?.errorCode == "x")
  }

  @Test func makesNoFolderWhereAPathIsMistyped() throws {
    let shard = try #require(Shard(index: 1, count: 1))
    let path = "\(folder.path)/mistyped/segments"
    let error = #expect(throws: SegmentError.self) {
      try SegmentWriter(folder: path, shard: shard, header: header("s"))
    }
    #expect(error?.message == "\(path): cannot be made: No such file or directory")
    #expect(!fileExists("\(folder.path)/mistyped"))
  }

  @Test func goesOnAfterATornLine() throws {
    do { try writer().write([("a.jpg", prediction([1])), ("b.jpg", prediction([2]))]) }
    let whole = try Data(contentsOf: URL(fileURLWithPath: path))
    let lines = whole.split(separator: 0x0A)
    let start = lines[0].count + 1 + lines[1].count + 1
    for cut in [start + 1, start + 20, whole.count - 1] {
      try whole[..<cut].write(to: URL(fileURLWithPath: path))
      let torn = try Segment(path)
      #expect(torn.damaged == [3] && torn.predictions.map(\.image) == ["a.jpg"])
      let again = try writer()
      #expect(again.wasTorn && again.known.keys.map(\.text) == ["a.jpg"])
      try again.write([("b.jpg", prediction([2]))])
      #expect(try Data(contentsOf: URL(fileURLWithPath: path)) == whole)
    }
  }

  @Test func refusesForeignAndDamagedSegments() throws {
    do { try writer().write([("a.jpg", prediction([1])), ("b.jpg", prediction([2]))]) }
    let foreign = #expect(throws: SegmentError.self) { _ = try writer("other") }
    #expect(foreign?.message.contains("belongs to another evaluation") == true)
    do {
      let open = try writer()
      let busy = #expect(throws: SegmentError.self) { _ = try writer() }
      #expect(busy?.message.contains("another process is writing") == true)
      withExtendedLifetime(open) {}
    }
    var bytes = try Data(contentsOf: URL(fileURLWithPath: path))
    // One digit of the first prediction.
    let place = try #require(bytes.firstRange(of: Data("1.5".utf8)))
    bytes[place.lowerBound] = UInt8(ascii: "2")
    try bytes.write(to: URL(fileURLWithPath: path))
    #expect(try Segment(path).damaged == [2])
    let damaged = #expect(throws: SegmentError.self) { _ = try writer() }
    #expect(damaged?.message.contains("lines 2 are damaged") == true)
    try Data("{}\n".utf8).write(to: URL(fileURLWithPath: path))
    #expect(throws: SegmentError.self) { _ = try Segment(path) }
  }

  @Test func beginsAnewWhereNotEvenTheHeaderIsWhole() throws {
    do { try writer(index: 2).write([("a.jpg", prediction([1]))]) }
    let whole = try Data(
      contentsOf: URL(fileURLWithPath: "\(folder.path)/s/shard-0002-of-0002.jsonl"))
    for count in [0, 50] {
      try whole[..<count].write(to: URL(fileURLWithPath: path))
      let names = try FileManager.default.contentsOfDirectory(atPath: "\(folder.path)/s")
      let found = try Segment.all(in: "\(folder.path)/s", names: names)
      #expect(found.segments.count == 1 && found.unbegun == [path])
      do { try writer().write([("b.jpg", prediction([2]))]) }
      #expect(try Segment(path).predictions.map(\.image) == ["b.jpg"])
    }
  }

  @Test func takesTheLastLineOfASegmentAndForgetsWhereTheCheckpointWas() throws {
    do {
      try writer().write([("a.jpg", prediction([1]))])
      try writer().write([("a.jpg", prediction([2]))])
    }
    let merged = try SegmentMerge([try Segment(path)])
    #expect(merged.conflicts.isEmpty && merged.predictions["a.jpg"]?.scores == [2])
    let elsewhere = SegmentHeader(
      dataset: "ava", split: "official/test", splitSHA256: "h", count: 3,
      run: RunRecord(
        dataset: 0, fingerprint: "fs", checkpoint: "/mnt/c", checkpointSHA256: "s",
        question: "q", preprocessing: "p", precision: "f32", engine: "e",
        range: ScoreRange(low: 1, high: 10), tokens: 2))
    #expect(elsewhere == header())
    let foreign = #expect(throws: SegmentError.self) { _ = try writer("other") }
    #expect(foreign?.message.contains("checkpoint_sha256: \"s\" and \"other\"") == true)
  }

  @Test func foldsDuplicatesAndFindsConflicts() throws {
    do {
      try writer().write([
        ("a.jpg", prediction([1])), ("b.jpg", prediction([], error: "truncated")),
      ])
      try writer(index: 2).write([
        ("a.jpg", prediction([1])), ("b.jpg", prediction([2])), ("c.jpg", prediction([3])),
      ])
    }
    func merge() throws -> SegmentMerge {
      let names = try FileManager.default.contentsOfDirectory(atPath: "\(folder.path)/s")
      return try SegmentMerge(try Segment.all(in: "\(folder.path)/s", names: names).segments)
    }
    let merged = try merge()
    #expect(merged.duplicates == 1 && merged.conflicts.isEmpty && merged.torn.isEmpty)
    #expect(merged.predictions["b.jpg"]?.scores == [2] && merged.predictions.count == 3)
    do { try writer(index: 2).write([("a.jpg", prediction([1.0000000001]))]) }
    #expect(try merge().conflicts == ["a.jpg"])
    let none = #expect(throws: SegmentError.self) {
      _ = try Segment.all(in: folder.path, names: ["x.jsonl"])
    }
    #expect(none?.isMissing == true)
  }
}
