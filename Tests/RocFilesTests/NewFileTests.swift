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

@Suite("Files that are written")
struct NewFileTests {
  private let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  private func mode(_ path: String) -> mode_t {
    var status = stat()
    return stat(path, &status) == 0 ? status.st_mode & 0o7777 : 0
  }

  private func text(_ path: String) throws -> String { try MappedFile(path: path).text }

  @Test("appear when they are whole, and leave nothing else")
  func wholeOrNotAtAll() throws {
    let path = "\(folder.path)/scores.csv"
    let new = try NewFile(path)
    try new.write(Array("image,score\n".utf8))
    #expect(!fileExists(path))
    #expect(folderEntries(folder.path).count == 1)
    try new.commit()
    #expect(try text(path) == "image,score\n")
    #expect(folderEntries(folder.path) == ["scores.csv"])
  }

  @Test("leave what was there when they are given up")
  func givenUp() throws {
    let path = try folder.write("old", to: "a")
    do {
      let new = try NewFile(path)
      try new.write(Array("new".utf8))
    }
    #expect(try text(path) == "old")
    #expect(folderEntries(folder.path) == ["a"])
  }

  @Test("keep the mode of what they replace: a private file stays private")
  func modes() throws {
    let path = try folder.write("old", to: "private")
    chmod(path, 0o600)
    try NewFile.write(Array("new".utf8), to: path)
    #expect(try text(path) == "new")
    #expect(mode(path) == 0o600)
  }

  @Test("replace what a link leads to, and not the link")
  func links() throws {
    let target = try folder.write("old", to: "target")
    let link = "\(folder.path)/link"
    symlink(target, link)
    try NewFile.write(Array("new".utf8), to: link)
    #expect(try text(target) == "new")
    #expect(FileFacts(link, follows: false)?.kind == .link)
  }

  @Test("have temporary names that nobody can guess")
  func names() throws {
    let names = try (0..<2).map { _ in
      let new = try NewFile("\(folder.path)/a")
      defer { extendLifetime(new) }
      return try #require(folderEntries(folder.path).first)
    }
    #expect(names[0] != names[1])
    #expect(names.allSatisfy { Partial.target(of: $0) == "a" })
  }

  @Test("may have the longest names there are", arguments: ["é", "x"])
  func longNames(_ letter: String) throws {
    let name = String(repeating: letter, count: 255 / letter.utf8.count)
    try NewFile.write([1], to: "\(folder.path)/\(name)")
    #expect(folderEntries(folder.path) == [name])
  }

  @Test("say why they cannot be made")
  func refusals() throws {
    let error = #expect(throws: FileError.self) { try NewFile("\(folder.path)/none/a") }
    #expect(error?.description == "\(folder.path)/none/a: No such file or directory")
    #expect(throws: FileError(path: folder.path, reason: "is a folder, expected a file")) {
      try NewFile(folder.path)
    }
  }

  @Test("of a folder come all at once")
  func wholeFolders() throws {
    let path = "\(folder.path)/checkpoint"
    do {
      let given = try NewFolder(path)
      try NewFile.write([1], to: "\(given.place)/a")
    }
    #expect(folderEntries(folder.path).isEmpty)
    let new = try NewFolder(path)
    try NewFile.write([1], to: "\(new.place)/a")
    try new.commit()
    #expect(folderEntries(folder.path) == ["checkpoint"])
    #expect(folderEntries(path) == ["a"])
  }
}

@Suite("What killed processes left")
struct PartialTests {
  private let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }
  private let left = ".model.partial-\(Partial.ownMachine)456789abcdef"

  @Test("is found by name and lock, and removed with all that is in it")
  func clearing() throws {
    mkdir("\(folder.path)/\(left)", 0o755)
    try folder.write("12345", to: "\(left)/weights")
    try folder.write("123", to: ".a.partial-\(Partial.ownMachine)0000000000ff")
    #expect(Partial.leftovers(in: folder.path).map(\.bytes) == [3, 5])
    let cleared = Partial.clear(besides: "\(folder.path)/model")
    #expect(cleared.map(\.bytes) == [5])
    #expect(folderEntries(folder.path) == [".a.partial-\(Partial.ownMachine)0000000000ff"])
  }

  @Test("is found where the name had to be shortened, too")
  func longNames() throws {
    let name = String(repeating: "a", count: 250)
    let short = String(repeating: "a", count: 229)
    try folder.write("12", to: ".\(short).partial-\(Partial.ownMachine)456789abcdef")
    #expect(Partial.clear(besides: "\(folder.path)/\(name)").map(\.bytes) == [2])
  }

  @Test("is left alone for a day where another machine made it")
  func otherMachines() throws {
    let other = Partial.ownMachine == "0000" ? "1111" : "0000"
    let path = try folder.write("12", to: ".model.partial-\(other)456789abcdef")
    #expect(Partial.clear(folder.path).isEmpty)
    var times = [timespec(), timespec()]
    let now = time(nil)
    for (age, isCleared) in [(86_000, false), (87_000, true)] {
      times[1].tv_sec = now - age
      try #require(utimensat(AT_FDCWD, path, times, 0) == 0)
      #expect(Partial.clear(folder.path).isEmpty == !isCleared)
    }
  }

  @Test("is not what a living process writes")
  func locks() throws {
    let new = try NewFile("\(folder.path)/model")
    let folders = try NewFolder("\(folder.path)/model")
    #expect(Partial.clear(folder.path).isEmpty)
    #expect(folderEntries(folder.path).count == 2)
    extendLifetime(new)
    extendLifetime(folders)
  }

  @Test(
    "is nothing of another name",
    arguments: [
      "model.partial-123", ".model.partial-123", ".partial-0123456789abcdef",
      ".model.partial-0123456789abcdeg", "model.partial-0123456789abcdef",
    ])
  func others(_ name: String) throws {
    try folder.write("mine", to: name)
    #expect(Partial.clear(folder.path).isEmpty)
    #expect(folderEntries(folder.path) == [name])
  }

  @Test("is never a link, whatever it leads to")
  func links() throws {
    let target = try folder.write("mine", to: "target")
    symlink(target, "\(folder.path)/\(left)")
    #expect(Partial.clear(folder.path).isEmpty)
    #expect(fileExists(target))
  }
}
