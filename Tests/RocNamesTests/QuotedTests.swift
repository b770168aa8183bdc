import RocNames
import Testing

/// Nothing from outside reaches a terminal as a command.
struct QuotedTests {
  private static let harmful = [
    "\u{1B}[2J", "\u{9B}31m", "\u{7}", "a\rb", "\u{8}", "\u{202E}gnp.exe", "\u{2066}x", "\u{200F}",
    "\u{2028}", "\u{7F}", "\u{0}",
  ]

  @Test func escapesNames() {
    #expect(Quoted.name("plain name, ä 水 \"quoted\" \\") == "plain name, ä 水 \"quoted\" \\")
    #expect(Quoted.name("a\nb\t\"c\"\\") == "\"a\\nb\\t\\\"c\\\"\\\\\"")
    #expect(Quoted.name("\u{1B}[31m") == "\"\\033[31m\"")
    #expect(Quoted.name("a\u{202E}b") == "\"a\\342\\200\\256b\"")
    for name in Self.harmful {
      #expect(!Quoted.name(name).unicodeScalars.contains(where: Quoted.isControl))
    }
  }

  @Test func leavesTheLinesOfTexts() {
    #expect(Quoted.text("two\nlines\tand a tab") == "two\nlines\tand a tab")
    for name in Self.harmful {
      let text = Quoted.text("before\n\(name) after")
      #expect(text.hasPrefix("before\n") && text.hasSuffix(" after"))
      #expect(!text.unicodeScalars.contains { Quoted.isControl($0) && $0 != "\n" })
    }
  }

  @Test func keepsColumnsOnTheirLines() {
    let text = Text.columns([["name", "n"], ["a\nb", "1"]])
    #expect(text == "name    n\n\"a\\nb\"  1")
  }
}
