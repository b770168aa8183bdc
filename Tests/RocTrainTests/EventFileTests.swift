import Foundation
import RocFiles
import RocTensor
import RocTestSupport
import RocTrain
import Testing

struct EventFileTests {
  /// The examples of RFC 3720, appendix B.4, and the check value of the catalogues.
  @Test func knowsTheChecksumsOfRFC3720() {
    #expect(CRC32C.checksum([UInt8](repeating: 0, count: 32)) == 0x8A91_36AA)
    #expect(CRC32C.checksum([UInt8](repeating: 0xFF, count: 32)) == 0x62A8_AB43)
    #expect(CRC32C.checksum(0..<32) == 0x46DD_794E)
    #expect(CRC32C.checksum((0..<32).reversed()) == 0x113F_DB5C)
    #expect(CRC32C.checksum("123456789".utf8) == 0xE306_9283)
    #expect(CRC32C.checksum([]) == 0)
    let command: [UInt8] = [
      0x01, 0xC0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x14, 0, 0, 0, 0, 0, 0x04, 0, 0, 0, 0,
      0x14, 0, 0, 0, 0x18, 0x28, 0, 0, 0, 0, 0, 0, 0, 0x02, 0, 0, 0, 0, 0, 0, 0,
    ]
    #expect(CRC32C.checksum(command) == 0xD996_3A56)
  }

  /// The bytes are those of the `protobuf` and `tensorboard` packages of Python for these events.
  @Test func writesTheBytesOfTensorBoard() throws {
    let folder = try TemporaryFolder()
    let file = try EventFile(folder: folder.path, startingAt: 300) { 1_700_000_000.25 }
    try file.add(step: 300, scalars: [("loss/l1", 0.5), ("lr", -2)])
    try file.add(step: 301, scalars: [])
    try file.close()
    let bytes = try Data(contentsOf: URL(fileURLWithPath: file.path))
    #expect(
      bytes.map { String(format: "%02x", $0) }.joined() == """
        1800000000000000a37f4b220900001040fc54d9411a0d627261696e2e4576656e743a32338d2fe9\
        100000000000000095fbfe180900001040fc54d94110ac023a0208016b3b88f12900000000000000\
        37ff5f000900001040fc54d94110ac022a1b0a0e0a076c6f73732f6c31150000003f0a090a026c72\
        15000000c023c42310
        """)
  }

  @Test func writesOneWholeRecordForEachStep() throws {
    let folder = try TemporaryFolder()
    let file = try EventFile(folder: "\(folder.path)/new")
    for step in 0..<50 {
      try file.add(step: step, scalars: [("total", Float(step)), ("text", .nan)])
      // Read while it is open: nothing waits in memory.
      #expect(try records(of: file.path).count == step + 3)
    }
    let seconds = file.path.split(separator: ".").dropFirst(3).first.flatMap { Double($0) } ?? 0
    #expect(abs(seconds - Date().timeIntervalSince1970) < 60)
  }

  @Test func goesOnInAFileThatSortsBehind() throws {
    let folder = try TemporaryFolder()
    let first = try EventFile(folder: folder.path) { 1_700_000_000 }
    try first.add(step: 1, scalars: [("total", 1)])
    let before = try Data(contentsOf: URL(fileURLWithPath: first.path))
    // A clock that is behind, as another machine's may be.
    let second = try EventFile(folder: folder.path, startingAt: 1) { 1_600_000_000 }
    let third = try EventFile(folder: folder.path) { 1_800_000_000 }
    #expect(first.path.contains("/events.out.tfevents.1700000000."))
    #expect(second.path.contains("/events.out.tfevents.1700000001."))
    #expect(third.path.contains("/events.out.tfevents.1800000000."))
    #expect(try Data(contentsOf: URL(fileURLWithPath: first.path)) == before)
  }

  @Test func namesWhatCannotBeWritten() throws {
    let folder = try TemporaryFolder()
    #expect(
      throws: FileError(
        path: "\(folder.path)/a/b", reason: "No such file or directory", isMissing: true)
    ) { try EventFile(folder: "\(folder.path)/a/b") }
    let path = try folder.write("", to: "file")
    let error = #expect(throws: FileError.self) { try EventFile(folder: path) }
    #expect(error?.path.hasPrefix("\(path)/events.out.tfevents.") == true)
    #expect(error?.reason == "Not a directory")
  }

  #if os(Linux)
  @Test func namesAFullDisk() throws {
    let folder = try TemporaryFolder()
    let file = try EventFile(folder: folder.path)
    let descriptor = try #require(number(of: file.path))
    let full = open("/dev/full", O_WRONLY)
    #expect(dup2(full, descriptor) == descriptor)
    close(full)
    #expect(throws: FileError(path: file.path, reason: "No space left on device")) {
      try file.add(step: 1, scalars: [("total", 1)])
    }
  }

  /// A pipe with room for a page takes a part of a large record, as a disk that fills up does.
  @Test func completesARecordThatWasBegun() throws {
    let folder = try TemporaryFolder()
    let file = try EventFile(folder: folder.path)
    let descriptor = try #require(number(of: file.path))
    var ends: [Int32] = [0, 0]
    #expect(pipe(&ends) == 0)
    for end in ends { _ = fcntl(end, F_SETFL, O_NONBLOCK) }
    // F_SETPIPE_SZ, which the headers show only with _GNU_SOURCE.
    _ = fcntl(ends[1], 1031, 4096)
    #expect(dup2(ends[1], descriptor) == descriptor)
    close(ends[1])
    defer { close(ends[0]) }
    var found: [UInt8] = []
    func drain() {
      var buffer = [UInt8](repeating: 0, count: 1 << 16)
      while case let count = read(ends[0], &buffer, buffer.count), count > 0 {
        found += buffer.prefix(count)
      }
    }
    let tag = String(repeating: "t", count: 6000)
    let expected = FileError(
      path: file.path, reason: "Resource temporarily unavailable",
      isOfMachine: true)
    #expect(throws: expected) { try file.add(step: 1, scalars: [(tag, 1)]) }
    // There is no room at all: this one is lost as a whole.
    #expect(throws: expected) { try file.add(step: 2, scalars: [("total", 2)]) }
    drain()
    #expect(found.count == 4096)
    try file.add(step: 3, scalars: [("total", 3)])
    drain()
    let records = try frames(found)
    #expect(records.count == 2)
    #expect(records.first?.contains(Array("tttt".utf8)) == true)
    #expect(records.last?.suffix(4).elementsEqual([0, 0, 0x40, 0x40]) == true)
  }

  /// The descriptor of a file that this process has open.
  private func number(of path: String) -> Int32? {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd")) ?? []
    let target = URL(fileURLWithPath: path).resolvingSymlinksInPath().path
    return names.first {
      (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/fd/\($0)")) == target
    }.flatMap { Int32($0) }
  }
  #endif

  private func records(of path: String) throws -> [[UInt8]] {
    try frames(Array(try Data(contentsOf: URL(fileURLWithPath: path))))
  }

  /// The data of all records; lengths and both checksums must be right, and nothing may be left.
  private func frames(_ bytes: [UInt8]) throws -> [[UInt8]] {
    func number(_ place: Int, _ size: Int) throws -> UInt64 {
      try #require(place + size <= bytes.count)
      return (0..<size).reduce(0) { $0 | UInt64(bytes[place + $1]) << (8 * $1) }
    }
    var result: [[UInt8]] = []
    var place = 0
    while place < bytes.count {
      let length = Int(try number(place, 8))
      #expect(
        try number(place + 8, 4) == UInt64(CRC32C.masked(bytes[place..<place + 8])))
      try #require(place + 16 + length <= bytes.count)
      let data = Array(bytes[place + 12..<place + 12 + length])
      #expect(try number(place + 12 + length, 4) == UInt64(CRC32C.masked(data)))
      result.append(data)
      place += 16 + length
    }
    return result
  }
}
