import RocTestSupport
import Testing

@testable import RocTokenizer

struct WordSplitterTests {
  private func words(_ text: String) -> [String] {
    let scalars = Array(text.unicodeScalars)
    return WordSplitter.words(scalars).map { range in
      var word = String.UnicodeScalarView()
      word.append(contentsOf: scalars[range])
      return String(word)
    }
  }

  /// Each word is cut out of the text by Qwen's pattern in Python's `regex`.
  @Test(arguments: [
    ["Hello", " world", "!"],
    ["I", "'m", " '", "m", "'M"],
    ["'re", "al"],
    ["x", "'\u{17F}", "y"],
    ["don", "'t", "''", "t"],
    ["'v", " '", "l", "'LL", "'Ve"],
    ["a", "1", "2", "\u{BD}", "\u{2167}", "\u{663}"],
    ["  ", " x"],
    [" ", " ", "1"],
    ["   "],
    [" \n\n", "  ", " x"],
    [" \r\n \n"],
    ["\n", "  "],
    ["\t", "\tx"],
    ["a", "\u{A0}b", "\u{3000} "],
    ["...\n\n", "x"],
    [" ...\r\n", " ", " x"],
    ["_x", "_"],
    ["(a", ")", " (", "1", ")"],
    ["\u{200B}a", "\u{200B}\u{FEFF}"],
    ["\u{85}", "\u{85}b"],
    ["e", "\u{301}"],
    ["\u{301}e"],
    ["\u{3000}", "\u{2028}", "\u{1F600}"],
    ["\u{65E5}\u{672C}\u{8A9E}", "\u{3001}x"],
    ["'\u{17F}", "t"],
  ])
  func cutsAsThePatternDoes(_ expected: [String]) {
    #expect(words(expected.joined()).map { Array($0.utf8) } == expected.map { Array($0.utf8) })
  }

  @Test func composesMarksInTheirOrder() {
    let normalize = TextNormalizer([.composed])
    func composed(_ text: String) -> [UInt32] {
      normalize(Array(text.unicodeScalars)[...]).map(\.value)
    }
    #expect(composed("e\u{301}") == [0xE9])
    #expect(composed("\u{212B}\u{FB01}") == [0xC5, 0xFB01])
    #expect(composed("\u{1100}\u{1161}\u{11A8}") == [0xAC01])
    #expect(composed("a\u{301}\u{323}") == [0x1EA1, 0x301])
    // Marks that decompose into two stand behind what their parts stand behind.
    #expect(composed("q\u{307}\u{F73}") == [0x71, 0xF71, 0xF72, 0x307])
    #expect(composed("q\u{307}\u{F75}") == [0x71, 0xF71, 0xF74, 0x307])
    #expect(composed("q\u{307}\u{F81}") == [0x71, 0xF71, 0xF80, 0x307])
    #expect(composed("q\u{344}\u{323}") == [0x71, 0x323, 0x308, 0x301])
  }
}
