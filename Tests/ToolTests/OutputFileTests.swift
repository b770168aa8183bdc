import Foundation
import RocFiles
import RocScoring
import RocStore
import RocTestSupport
import RocTool
import Testing

struct OutputFileTests {
  private let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  @Test func replacesWhatADescriptorIsOpenOn() throws {
    let path = try folder.write("what was here before", to: "table")
    let file = try OpenFile(path, .appending)
    for _ in 0..<2 { try OutputFile.write("new", to: "/dev/fd/\(file.descriptor)") }
    #expect(try MappedFile(path: path).text == "new")
    // The descriptor is still open on the file that has the name.
    #expect(file.isStillThere)
  }

  @Test(arguments: [
    ("/dev/fd/3", true), ("/dev/stdout", true), ("/proc/self/fd/3", true), ("/dev/null", true),
    ("/dev/shm/table", false), ("/developers/table", false), ("table", false),
  ])
  func writesInPlaceWhatIsOpenAndDevices(_ path: String, _ isInPlace: Bool) {
    #expect(isWrittenInPlace(path) == isInPlace)
  }

  @Test func aPictureThatIsReplacedWhileItIsScoredIsAnother() throws {
    let path = try folder.write("picture", to: "a.png")
    let facts = try #require(FileFacts(path))
    let stamp = try #require(PictureFile.stamp(path, read: facts))
    #expect(PictureFile.isUnchanged(path, since: stamp))
    let other = try folder.write("another", to: "b.png")
    try #require(rename(other, path) == 0)
    #expect(!PictureFile.isUnchanged(path, since: stamp))
    // The same number of bytes: only that the file is another one tells.
    let late = try #require(PictureFile.stamp(path, read: facts))
    #expect(!PictureFile.isUnchanged(path, since: late))
  }
}
