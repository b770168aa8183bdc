import RocFiles
import RocTestSupport
import RocTrain
import Testing

struct TrainingFolderTests {
  @Test func removesWhatKilledTrainingsOfEarlierVersionsLeft() throws {
    let folder = try TemporaryFolder()
    for name in [
      "checkpoint-8.partial-4711/model.safetensors", "model.safetensors.partial-12",
      ".partial-99/config.json", "notes.partial-7", "checkpoint-9.partial-mine",
    ] {
      try folder.write("x", to: name)
    }
    let training = try TrainingFolder(folder.path)
    #expect(
      folderEntries(folder.path) == [
        "checkpoint-9.partial-mine", "notes.partial-7", "training.lock",
      ])
    extendLifetime(training)
  }
}
