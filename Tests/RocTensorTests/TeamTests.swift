import CRocKernels
import RocTensor
import Synchronization
import Testing

struct TeamTests {
  @Test(arguments: [1, 2, 3, 8])
  func runsEveryTileOnce(_ threads: Int) throws {
    let team = try #require(roc_team_create(threads))
    defer { roc_team_destroy(team) }
    #expect(roc_team_size(team) == threads)
    for tiles in [0, 1, 2, 7, 100, 5000] {
      let counts = UnsafeMutablePointer<Int32>.allocate(capacity: max(tiles, 1))
      counts.initialize(repeating: 0, count: max(tiles, 1))
      defer { counts.deallocate() }
      for _ in 0..<20 {
        roc_team_run(
          team, tiles,
          { context, tile, _ in
            context.assumingMemoryBound(to: Int32.self)[tile] += 1
          }, counts)
      }
      #expect((0..<tiles).allSatisfy { counts[$0] == 20 })
    }
  }

  @Test func wakesAfterSleep() async throws {
    let team = try #require(roc_team_create(2))
    defer { roc_team_destroy(team) }
    for _ in 0..<5 {
      try await Task.sleep(for: .milliseconds(20))
      var sum = [Int32](repeating: 0, count: 64)
      sum.withUnsafeMutableBufferPointer { buffer in
        guard let base = buffer.baseAddress else { return }
        roc_team_run(
          team, 64, { context, tile, _ in context.assumingMemoryBound(to: Int32.self)[tile] = 1 },
          base)
      }
      #expect(sum.allSatisfy { $0 == 1 })
    }
  }

  @Test func saysWhatIsWrongWithASet() {
    let unknown = #expect(throws: ComputeError.self) {
      try Compute(threads: 1, instructionSet: "sse9")
    }
    #expect(
      unknown?.description
        == "there are no kernels called sse9, as ROC_KERNELS asks; the sets are "
        + Compute.instructionSets.joined(separator: ", "))
    #expect(Compute.instructionSets.suffix(2) == ["portable", "openblas"])
  }
}
