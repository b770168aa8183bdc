import RocNames
import RocTestSupport
import Testing

/// Names are bytes: what finds a picture, and what only gets a hint.
struct NameTests {
  private static let composed = "caf\u{E9}.png"
  private static let decomposed = "cafe\u{301}.png"

  @Test func exactTextsAreEqualByTheirBytes() {
    #expect(Self.composed == Self.decomposed)
    #expect(ExactText(Self.composed) != ExactText(Self.decomposed))
    #expect(Set(names: [Self.composed, Self.decomposed]).count == 2)
    var values: [ExactText: Int] = [:]
    values[Self.composed] = 1
    #expect(values[Self.decomposed] == nil)
    // The Kelvin sign is the letter K to Swift.
    #expect(!"\u{212A}".isExactly("K"))
    #expect(
      [Self.composed, Self.decomposed, "b"].sortedByBytes().map { Array($0.utf8)[0] } == [
        98, 99, 99,
      ])
    #expect(ExactText(Self.decomposed) < ExactText(Self.composed))
  }

  @Test func pathsAreCutAtBytes() {
    #expect(PathName.base("a/\u{301}b.jpg").isExactly("\u{301}b.jpg"))
    #expect(PathName.folder("a/\u{301}b.jpg") == "a")
    #expect(PathName.stem("x/1.25_a.JPEG") == "x/1.25_a")
    #expect(PathName.stem("953619.0") == "953619.0")
    #expect(PathName.slashed(".\\a\\b.jpg") == "a/b.jpg")
    #expect(PathName.parts("a//b/") == ["a", "b"])
  }

  @Test(
    arguments: [
      ("953619.0", "953619", false), ("0017.0", "0017", false), ("953619.000", "953619", false),
      ("9.53619E+05", "953619", false), ("9.5362E+05", nil, true), ("9.5362e5", nil, true),
      ("1e3", nil, true), ("953619", nil, false), ("1.5", nil, false), ("0.500_a", nil, false),
      ("1.", nil, false), (".5", nil, false), ("1.0.0", nil, false), ("7.0e400", nil, true),
    ] as [(String, String?, Bool)])
  func floatsOfSpreadsheetsAreIDsWhereNoDigitIsLost(
    _ text: String, _ whole: String?, _ isRounded: Bool
  ) {
    #expect(NumberedName.whole(text) == whole)
    #expect(NumberedName.isRounded(text) == isRounded)
  }

  @Test func oneRuleFindsPictures() {
    let names: [ImageKey] = [
      "a/1.jpg", "b/1.jpg", "b/two.png", "953619.jpg", "farm1_x_b.jpg", "1.25.jpg",
    ]
    let index = NameIndex(names)
    for (name, found) in [
      ("a/1.jpg", "a/1.jpg"), ("a\\1.jpg", "a/1.jpg"), ("./b/1", "b/1.jpg"), ("two", "b/two.png"),
      ("else/two.png", "b/two.png"), ("953619.0", "953619.jpg"), ("9.53619E+05", "953619.jpg"),
      ("0.500_farm1_x_b.jpg", "farm1_x_b.jpg"), ("1.25", "1.25.jpg"),
    ] {
      #expect(index.place(of: name).map { names[$0].text } == found, "\(name)")
    }
    // Several pictures, none, and an id whose digits a spreadsheet dropped: no picture is meant.
    for name in ["1.jpg", "1", "9.5362E+05", "9", "none.jpg", "TWO.png"] {
      #expect(index.place(of: name) == nil, "\(name)")
    }
  }

  @Test(arguments: [
    ("TWO.png", "letter case"), ("two.jpg", "its ending"), ("0017.jpg", "leading zeros"),
    (decomposed, "its Unicode form"),
  ])
  func nearNamesGetAHintAndAFlag(_ name: String, _ difference: String) {
    let names: [ImageKey] = ["b/two.png", "17.jpg", ImageKey(Self.composed)]
    let strict = NameIndex(names)
    guard difference != "its ending" else {
      // An ending says nothing about a picture: the stem finds it.
      #expect(strict.place(of: name) == 0)
      return
    }
    #expect(strict.place(of: name) == nil)
    #expect(strict.hint(name)?.contains("differs only in \(difference); --loose-names") == true)
    #expect(NameIndex(names, isLoose: true).place(of: name) != nil)
    #expect(strict.hint("other") == nil)
  }

  @Test func looseNamesNeverChooseBetweenTwo() {
    let index = NameIndex(["a/Two.png", "b/TWO.png"], isLoose: true)
    #expect(index.place(of: "two.png") == nil)
    #expect(NameIndex(["x/1.jpg", "y/1.jpg"]).hint("1.jpg")?.contains("several pictures") == true)
    #expect(NameIndex(["1.jpg"]).hint("9.5E+05")?.contains("digits are lost") == true)
    // Two forms of one name are two pictures and make no name ambiguous.
    let forms = NameIndex([Self.composed, Self.decomposed].map { ImageKey($0) })
    #expect(forms.place(of: Self.composed) == 0 && forms.place(of: Self.decomposed) == 1)
  }

  @Test func wordsOfAShellStayWhole() {
    #expect(ShellWord.quoted("a/b-1.csv") == "a/b-1.csv")
    #expect(ShellWord.quoted("") == "''")
    #expect(ShellWord.quoted("my file") == "'my file'")
    #expect(ShellWord.quoted("it's") == "'it'\\''s'")
    #expect(ShellWord.quoted("it'\u{301}s").isExactly("'it'\\''\u{301}s'"))
  }
}
