import Foundation
import RocFiles
import RocTestSupport
import Testing

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// What the machine lacks is told from what is wrong with a file.
struct FileErrorTests {
  @Test(arguments: [EMFILE, ENFILE, ENOMEM, EIO, ESTALE, ETIMEDOUT])
  func blamesTheMachine(_ code: Int32) {
    let error = FileError(path: "a", errno: code)
    #expect(error.isOfMachine && !error.isMissing)
  }

  @Test(arguments: [ENOENT, EACCES, EISDIR, ELOOP, ENAMETOOLONG, ENXIO])
  func blamesTheFile(_ code: Int32) {
    #expect(!FileError(path: "a", errno: code).isOfMachine)
  }

  @Test func readsWholeFilesOnly() throws {
    let folder = try TemporaryFolder()
    let bytes = (0..<3_000_000).map { UInt8(truncatingIfNeeded: $0 &* 31) }
    let path = "\(folder.path)/file"
    try Data(bytes).write(to: URL(fileURLWithPath: path))
    #expect(try OpenFile.bytes(of: path) == bytes)
    try Data().write(to: URL(fileURLWithPath: path))
    #expect(try OpenFile.bytes(of: path).isEmpty)
    #expect(throws: FileError(path: folder.path, reason: "is a folder, expected a file")) {
      try OpenFile.bytes(of: folder.path)
    }
    let pipe = "\(folder.path)/pipe"
    #expect(mkfifo(pipe, 0o600) == 0)
    #expect(throws: FileError(path: pipe, reason: "is not a regular file")) {
      try OpenFile.bytes(of: pipe)
    }
  }
}
