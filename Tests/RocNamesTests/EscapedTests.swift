import RocNames
import Testing

/// A combining mark behind a separator makes one Character of both; formats know bytes.
struct EscapedTests {
  private static let mark = "\u{301}"

  @Test func fieldsStayWholeWhateverFollowsAQuotationMark() {
    #expect(Escaped.csv("plain") == "plain")
    #expect(Escaped.csv("a,b") == "\"a,b\"")
    #expect(Escaped.csv("say \"\(Self.mark)\"").isExactly("\"say \"\"\(Self.mark)\"\"\""))
    #expect(
      Escaped.xml("a<\(Self.mark)b & \"c\"").isExactly("a&lt;\(Self.mark)b &amp; &quot;c&quot;"))
    #expect(Escaped.markdown("a|\(Self.mark)b\nc").isExactly("a\\|\(Self.mark)b c"))
  }

  @Test func textsAreSearchedAndCutAtBytes() {
    let text = "a,\(Self.mark)b,,c"
    #expect(text.pieces(",").map { Array($0.utf8).count } == [1, 3, 0, 1])
    #expect("x/y/z".pieces("/", atMost: 2) == ["x", "y/z"])
    #expect(text.byteRanges(of: ",").count == 3)
    #expect("aaa".byteRanges(of: "aa").count == 1 && "".byteRanges(of: "a").isEmpty)
    #expect(text.containsBytes(of: ",") && !text.containsBytes(of: "d"))
    #expect("e\(Self.mark)".containsBytes(of: "e"))
    #expect("a.b.c".replacingBytes(of: ".", with: "") == "abc")
  }
}
