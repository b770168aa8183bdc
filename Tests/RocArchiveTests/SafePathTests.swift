import RocArchive
import Testing

struct SafePathTests {
  @Test(arguments: [
    ("a.jpg", "a.jpg"), ("x/y/a.jpg", "x/y/a.jpg"), ("./x//a.jpg", "x/a.jpg"),
    ("x\\a.jpg", "x/a.jpg"), ("..a/b..jpg", "..a/b..jpg"), ("ä/ö.jpg", "ä/ö.jpg"),
  ])
  func keepsPathsBelowTheFolder(_ entry: String, _ path: String) {
    #expect(SafePath.of(entry) == .path(path))
  }

  @Test(arguments: [
    "", "/", "/etc/passwd", "\\\\server\\x", "..", "../a", "a/../../b", "a\\..\\..\\b", "C:\\a.jpg",
    "c:a.jpg", "a\u{0}b", "a\nb", ".", "./.", "../\u{301}x", "..\u{2F}\u{301}a",
    String(repeating: "a/", count: 40) + "b", String(repeating: "n", count: 300),
  ])
  func refusesWhatLeavesIt(_ entry: String) {
    guard case .refused(let reason) = SafePath.of(entry) else {
      Issue.record("\(entry) was taken")
      return
    }
    #expect(!reason.isEmpty)
  }

  @Test func knowsArchivesByTheirNames() {
    #expect(ArchiveVolumes.isArchive("a.ZIP") && ArchiveVolumes.isArchive("x/a.tar.zst"))
    #expect(ArchiveVolumes.isArchive("EVA_together.zip.001") && ArchiveVolumes.isArchive("a.7z"))
    #expect(!ArchiveVolumes.isArchive("images") && !ArchiveVolumes.isArchive("a.jpg"))
    #expect(ArchiveVolumes.stem("x/EVA_together.zip.001") == "EVA_together")
  }
}
