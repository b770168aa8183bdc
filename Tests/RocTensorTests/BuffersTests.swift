import Testing

@testable import RocTensor

/// Memory is handed out again instead of being cleared by the system anew.
struct BuffersTests {
  /// Sizes that nothing else of the tests asks for.
  @Test(arguments: [40_001, 3_200_001, 7_654_321])
  func whatWasGivenBackIsTakenAgain(_ bytes: Int) {
    let first = Buffers.take(bytes)
    Buffers.give(first, bytes)
    let second = Buffers.take(bytes)
    #expect(first == second)
    // One more row of a prompt finds the same piece.
    Buffers.give(second, bytes)
    let third = Buffers.take(bytes - 64)
    #expect(third == first)
    Buffers.give(third, bytes - 64)
  }
}
