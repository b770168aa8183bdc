import Dispatch
import RocNames
import Synchronization
import Testing

@testable import RocBrowser

/// What is slow to find is found once, and pages do not wait for it.
struct BackgroundTests {
  private struct Problem: Error {}

  @Test func makesOnceForAllWhoWait() throws {
    let values = InBackground<Int, Int>("test", room: 10)
    let made = Mutex(0)
    let gate = DispatchSemaphore(value: 0)
    @Sendable func make() -> Int {
      gate.wait()
      return made.withLock {
        $0 += 1
        return $0
      }
    }
    #expect(values.known(1, version: 1) == nil)
    #expect(try values.value(1, version: 1, waiting: 0, make: make) == nil)
    #expect(try values.value(1, version: 1, waiting: 0.01, make: make) == nil)
    gate.signal()
    #expect(try values.value(1, version: 1, waiting: nil, make: make) == 1)
    #expect(values.known(1, version: 1) == 1)
    #expect(try values.value(1, version: 1, waiting: 0, make: make) == 1)
    #expect(made.withLock { $0 } == 1)
  }

  @Test func tellsAFailureAndTriesAgain() throws {
    let values = InBackground<Int, Int>("test", room: 10)
    #expect(throws: Problem.self) {
      try values.value(1, version: 1, waiting: nil) { throw Problem() }
    }
    #expect(try values.value(1, version: 1, waiting: nil) { 7 } == 7)
  }

  @Test func keepsWhatWasUsedLast() throws {
    let values = InBackground<Int, Int>("test", room: 10) { $0 }
    _ = try values.value(1, version: 1, waiting: nil) { 4 }
    _ = try values.value(2, version: 1, waiting: nil) { 4 }
    _ = values.known(1, version: 1)
    _ = try values.value(3, version: 1, waiting: nil) { 4 }
    #expect(
      values.known(1, version: 1) == 4 && values.known(2, version: 1) == nil
        && values.known(3, version: 1) == 4)
    // One that is larger than all of the room stays until the next one comes.
    _ = try values.value(4, version: 1, waiting: nil) { 40 }
    #expect(values.known(4, version: 1) == 40 && values.known(3, version: 1) == nil)
  }

  @Test func givesOutWhatIsOldWhileItIsRenewed() throws {
    let values = InBackground<Int, Int>("test", room: 10)
    #expect(try values.value(1, version: 1, waiting: nil) { 1 } == 1)
    let gate = DispatchSemaphore(value: 0)
    @Sendable func make() -> Int {
      gate.wait()
      return 2
    }
    // What is fast to make is made anew at once, and the old one is shown meanwhile.
    #expect(try values.value(1, version: 2, waiting: 0.01, make: make) == 1)
    gate.signal()
    #expect(try values.value(1, version: 2, waiting: nil, make: make) == 2)
    // One that took long is left alone for a while, except for those who wait for it.
    let slow = InBackground<Int, Int>("test", room: 10)
    #expect(
      try slow.value(1, version: 1, waiting: nil) {
        Thread.wait(milliseconds: 80)
        return 1
      } == 1)
    #expect(try slow.value(1, version: 2, waiting: 1) { 2 } == 1)
    #expect(try slow.value(1, version: 2, waiting: nil) { 2 } == 2)
  }

  @Test func holdsUntilTheDatabaseIsWritten() throws {
    let values = UntilWritten<Int, Int>("test")
    #expect(try values.value(1, "a") { 1 } == 1)
    #expect(try values.value(1, "a") { 2 } == 1)
    #expect(try values.value(1, "b") { 3 } == 3)
    #expect(try values.value(2, "b") { 4 } == 4)
    #expect(throws: Problem.self) { try values.value(1, "c") { throw Problem() } }
    // What is slow stays as it was for a while.
    #expect(
      try values.value(3, "a") {
        Thread.wait(milliseconds: 80)
        return 5
      } == 5)
    #expect(try values.value(3, "b") { 6 } == 5)
  }
}

private enum Thread {
  static func wait(milliseconds: Int) {
    _ = DispatchSemaphore(value: 0).wait(timeout: .now() + .milliseconds(milliseconds))
  }
}
