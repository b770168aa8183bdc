import Foundation
import GRDB
import RocScore
import RocStore
import RocTestSupport
import Testing

struct StoreTests {
  private let record = DatasetRecord(
    name: "x", title: "X", range: ScoreRange(low: 1, high: 10), higherIsBetter: true,
    threshold: 5, bins: .init(count: 10, first: 1, step: 1), defaultScheme: "official")

  private func filled(_ path: String) throws -> (Store, DatasetRecord) {
    let store = try Store(path: path, creates: true)
    try store.write { db in
      let writer = try DatasetWriter.open(record, replace: false, db)
      let ids = try (1...4).map {
        try writer.addSample(
          .init(key: "\($0).jpg", score: Double($0), votes: [$0, 0, 1], extra: nil), path: nil,
          looked: false)
      }
      try writer.setMembers("official", "train", [ids[0], ids[1]])
      try writer.setMembers("official", "test", [ids[3], ids[2]])
    }
    return (store, try store.dataset("x"))
  }

  @Test func readsBackWhatItStores() throws {
    let folder = try TemporaryFolder()
    let (store, dataset) = try filled("\(folder.path)/a.sqlite")
    #expect(dataset.bins?.count == 10 && dataset.range == ScoreRange(low: 1, high: 10))
    let samples = try store.samples(dataset).samples
    #expect(samples.map(\.score) == [1, 2, 3, 4])
    #expect(samples[2].votes == [3, 0, 1])
    let test = try store.samples(dataset, split: "test")
    #expect(test.split == SplitName(scheme: "official", part: "test"))
    #expect(test.samples.map(\.key) == ["3.jpg", "4.jpg"])
    #expect(try store.datasets().first?.splits.map(\.count) == [2, 2])
  }

  @Test func namesTheSplitsThereAre() throws {
    let folder = try TemporaryFolder()
    let (store, dataset) = try filled("\(folder.path)/a.sqlite")
    let error = #expect(throws: StoreError.self) { _ = try store.samples(dataset, split: "val") }
    #expect(
      error?.message
        == "x has no split val; it has official/train (2), official/test (2)")
    #expect(error?.isMissing == true)
    let none = #expect(throws: StoreError.self) { _ = try store.dataset("y") }
    #expect(none?.message == "\(folder.path)/a.sqlite: no dataset y; it holds x")
  }

  @Test func readsWhileAnotherWrites() throws {
    let folder = try TemporaryFolder()
    let path = "\(folder.path)/a.sqlite"
    let (store, _) = try filled(path)
    try store.write { _ in
      let reader = try Store(path: path, creates: false, readOnly: true)
      #expect(try reader.samples(try reader.dataset("x")).samples.count == 4)
    }
  }

  @Test func keepsAllOrNothing() throws {
    struct Stop: Error {}
    let folder = try TemporaryFolder()
    let (store, dataset) = try filled("\(folder.path)/a.sqlite")
    #expect(throws: Stop.self) {
      try store.write { db in
        let writer = try DatasetWriter.open(record, replace: true, db)
        _ = try writer.addSample(
          .init(key: "new.jpg", score: 1, votes: nil, extra: nil), path: nil, looked: false)
        throw Stop()
      }
    }
    #expect(try store.samples(dataset).samples.count == 4)
  }

  @Test func storesPredictionsOnceAndMendsFailures() throws {
    let folder = try TemporaryFolder()
    let (store, dataset) = try filled("\(folder.path)/a.sqlite")
    let run = RunRecord(
      dataset: dataset.id ?? 0, fingerprint: "f", checkpoint: "c", checkpointSHA256: "s",
      question: "q", preprocessing: "p", precision: "f32", engine: "e",
      range: ScoreRange(low: 1, high: 10), tokens: 3)
    let id = try store.findOrInsert(run)
    #expect(try store.findOrInsert(run) == id)
    let sample = try store.samples(dataset).samples[0].id
    func prediction(_ scores: [Double], error: String? = nil) -> PredictionRecord {
      PredictionRecord(
        sample: sample, scores: scores, distributions: scores.map { [$0, 0.1 + 0.2] }, text: "t",
        errorCode: error, errorMessage: error, milliseconds: 1.5)
    }
    try store.save([prediction([], error: "missing")], run: id)
    #expect(try store.predictions(run: id)[sample]?.errorCode == "missing")
    try store.save([prediction([4.8147196769714355, 1e-300])], run: id)
    try store.save([prediction([9])], run: id)
    let stored = try #require(try store.predictions(run: id)[sample])
    #expect(stored.scores == [4.8147196769714355, 1e-300])
    #expect(stored.distributions == [[4.8147196769714355, 0.1 + 0.2], [1e-300, 0.1 + 0.2]])
    #expect(stored.errorCode == nil)
    #expect(try store.runs().map(\.scored) == [1])
  }

  @Test func saysWhatIsWrongWithAFile() throws {
    let folder = try TemporaryFolder()
    func refusal(_ path: String, creates: Bool = true) -> StoreError? {
      #expect(throws: StoreError.self) { _ = try Store(path: path, creates: creates) }
    }
    let missing = refusal("\(folder.path)/none.sqlite", creates: false)
    #expect(missing?.isMissing == true)
    #expect(missing?.message.contains("import a dataset first with roc-data import") == true)
    let lost = refusal("\(folder.path)/no/such/folder.sqlite")
    #expect(lost?.message.contains("check that its folder exists") == true)
    let text = try folder.write(String(repeating: "this is no database\n", count: 100), to: "t")
    #expect(refusal(text)?.message == "\(text): not a SQLite database; name another file with --db")
    let foreign = "\(folder.path)/foreign.sqlite"
    let queue = try DatabaseQueue(path: foreign)
    try queue.write { try $0.execute(sql: "CREATE TABLE other (x)") }
    try queue.close()
    for creates in [true, false] {
      #expect(
        refusal(foreign, creates: creates)?.message.contains("another program's database") == true)
    }
    let empty = try folder.write("", to: "empty.sqlite")
    #expect(refusal(empty, creates: false)?.message.contains("an empty file") == true)
    try folder.write("x", to: "f/x")
    #expect(refusal("\(folder.path)/f") != nil)
  }

  @Test func refusesADatabaseOfANewerVersion() throws {
    let folder = try TemporaryFolder()
    let path = "\(folder.path)/a.sqlite"
    _ = try filled(path)
    let queue = try DatabaseQueue(path: path)
    try queue.write {
      try $0.execute(sql: "INSERT INTO grdb_migrations VALUES ('99 of the future')")
    }
    try queue.close()
    let error = #expect(throws: StoreError.self) { _ = try Store(path: path, creates: false) }
    #expect(error?.message == "\(path): written by a newer version of roc; update this one")
  }
}
