import Foundation
import RocCheckpoint
import RocDigest
import RocTestSupport
import Testing

/// Weights that are no longer what was written are found where that can be known.
struct IntegrityTests {
  private static let name = "pytorch_model-00002-of-00003.bin"

  private static func copy(_ folder: TemporaryFolder) throws -> String {
    let path = "\(folder.path)/checkpoint"
    try FileManager.default.copyItem(atPath: Fixture.path("tiny-f16-sharded-bin"), toPath: path)
    return path
  }

  private static func check(_ folder: String) throws {
    try Integrity.check(try Checkpoint(folder: folder), .always) { _ in }
  }

  @Test func findsEveryFlippedBitOfATensor() throws {
    let folder = try TemporaryFolder()
    let checkpoint = try Self.copy(folder)
    try Self.check(checkpoint)
    let path = "\(checkpoint)/\(Self.name)"
    let whole = try Data(contentsOf: URL(fileURLWithPath: path))
    let tensors = try WeightFile(path: path).tensors
    for (place, tensor) in tensors.enumerated() {
      var data = whole
      // The values lie in the file as they are.
      let values = tensor.withContents { Data($0) }
      let start = try #require(whole.range(of: values)).lowerBound
      data[start + place * 7 % values.count] ^= 1 << (place % 8)
      try data.write(to: URL(fileURLWithPath: path))
      #expect {
        try Self.check(checkpoint)
      } throws: { error in
        let message = (error as? CheckpointError)?.message ?? ""
        return message.contains(Self.name) && message.contains(" is damaged: its CRC-32 is ")
          && message.contains("tensor ")
      }
    }
  }

  @Test func knowsWhereAnArchiveHasNoChecksums() throws {
    let folder = try TemporaryFolder()
    let checkpoint = try Self.copy(folder)
    let path = "\(checkpoint)/\(Self.name)"
    var data = try Data(contentsOf: URL(fileURLWithPath: path))
    // PyTorch writes zeros when it was told to compute none.
    var place = data.startIndex
    while let entry = data[place...].range(of: Data([0x50, 0x4B, 1, 2])) {
      data.replaceSubrange(entry.lowerBound + 16..<entry.lowerBound + 20, with: [0, 0, 0, 0])
      place = entry.upperBound
    }
    try data.write(to: URL(fileURLWithPath: path))
    try Self.check(checkpoint)
  }

  @Test func comparesWithTheNameInTheHubsCache() throws {
    let folder = try TemporaryFolder()
    let files = FileManager.default
    let (blobs, snapshot) = ("\(folder.path)/blobs", "\(folder.path)/snapshots/main")
    for path in [blobs, snapshot] {
      try files.createDirectory(atPath: path, withIntermediateDirectories: true)
    }
    let source = Fixture.path("tiny-f32")
    for name in try files.contentsOfDirectory(atPath: source) {
      let digest = try SHA256.of(file: "\(source)/\(name)")
      try files.copyItem(atPath: "\(source)/\(name)", toPath: "\(blobs)/\(digest)")
      try files.createSymbolicLink(
        atPath: "\(snapshot)/\(name)", withDestinationPath: "../../blobs/\(digest)")
    }
    try Self.check(snapshot)
    let weights = try files.destinationOfSymbolicLink(atPath: "\(snapshot)/model.safetensors")
    let blob = "\(blobs)/\(URL(fileURLWithPath: weights).lastPathComponent)"
    var data = try Data(contentsOf: URL(fileURLWithPath: blob))
    data[data.count - 1] ^= 1
    try data.write(to: URL(fileURLWithPath: blob))
    #expect {
      try Self.check(snapshot)
    } throws: { error in
      (error as? CheckpointError)?.message.contains("and the cache names it") == true
    }
  }
}
