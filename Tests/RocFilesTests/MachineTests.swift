import Foundation
import RocTestSupport
import Testing

@testable import RocFiles

struct MachineTests {
  @Test(arguments: [
    ("0-3,8", [0, 1, 2, 3, 8]), ("\t0-1", [0, 1]), ("5", [5]), ("", []), ("x,3-1,2", [2]),
  ])
  func readsListsOfCores(_ list: String, _ numbers: [Int]) {
    #expect(coreNumbers(list[...]).sorted() == numbers)
  }

  @Test func countsTheCoresThatNprocCounts() throws {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = ["-u", "OMP_NUM_THREADS", "-u", "OMP_THREAD_LIMIT", "nproc"]
    let pipe = Pipe()
    process.standardOutput = pipe
    try process.run()
    let output = String(decoding: pipe.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    process.waitUntilExit()
    #expect(output == "\(coreCount())\n")
  }

  @Test func makesFoldersBesideThoseThatAreThere() throws {
    let folder = try TemporaryFolder()
    #expect(
      try makeFolders("\(folder.path)/a//./b") == ["\(folder.path)/a", "\(folder.path)/a//./b"])
    #expect(try makeFolders("\(folder.path)/a/b") == [])
    try folder.write("x", to: "file")
    let error = #expect(throws: FileError.self) { try makeFolders("\(folder.path)/file/b") }
    #expect(error?.description == "\(folder.path)/file: Not a directory")
    #expect(throws: FileError.self) { try makeFolder("\(folder.path)/none/b") }
    #expect(!fileExists("\(folder.path)/none"))
  }
}
