import RocBrowser
import RocNames
import Testing

/// Pages hold what comes from outside as text, and their addresses say what they show.
struct PageTests {
  @Test func escapesWhatIsInterpolated() {
    let name = "<script>alert('1')</script> & \"quoted\""
    let html: HTML = "<a title=\"\(name)\">\(name)</a>\("<b>" as HTML)\(nil as HTML?)"
    #expect(!html.text.contains("<script") && !html.text.contains("\"quoted\""))
    #expect(html.text.hasPrefix("<a title=\"&lt;script&gt;") && html.text.hasSuffix("</a><b>"))
    let list: HTML = "\(["<", "&"].map { "<i>\($0)</i>" as HTML })"
    #expect(list.text == "<i>&lt;</i><i>&amp;</i>")
  }

  @Test func readsAndWritesQueries() {
    let query = Query("a=1&b=x%20y+z&a=2&empty=&flag&%C3%A4=%26%3D&broken=%zz%+1%4")
    #expect(query["a"] == "2" && query["b"] == "x y z" && query["ä"] == "&=")
    #expect(query["empty"] == nil && query["flag"] == nil && query["none"] == nil)
    // What is no hexadecimal number stands for itself.
    #expect(query["broken"] == "%zz% 1%4")
    #expect(Query("x=1&y=a b").with("x", nil).with("z", "ä&").text == "?y=a%20b&z=%C3%A4%26")
    #expect(Query("").text.isEmpty && Query("&&=&").text.isEmpty)
    for text in ["%+1", "%-1", "%ff", "a/b?c#d", "\u{0}"] {
      let encoded = Query.encoded(text)
      #expect(encoded.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F })
      #expect(Query.decoded(encoded[...].utf8) == text)
    }
  }

  @Test func readsWhatAGalleryIsAskedFor() {
    let asked = GalleryQuery(
      Query("low=2&high=x&spread_low=0.5&attribute=balance&attribute_high=0.25&sort=-spread"))
    #expect(asked.score == .init(2, nil) && asked.spread == .init(0.5, nil))
    #expect(asked.attribute?.name.text == "balance" && asked.attribute?.span == .init(nil, 0.25))
    #expect(asked.sort.text == "-spread" && !asked.isEverything)
    #expect(GalleryQuery(Query("attribute=balance&sort=score")).isEverything)
    let span = GalleryQuery.Span(1, 2)
    #expect(span.contains(1) && span.contains(2) && !span.contains(2.5) && !span.contains(.nan))
    #expect(!GalleryQuery.Span(3, 2).contains(2.5) && GalleryQuery.Span().contains(-1e9))
  }

  @Test func showsNumbers() {
    #expect(Shown.count(0) == "0" && Shown.count(999) == "999")
    #expect(Shown.count(255_530) == "255\u{202F}530" && Shown.count(-1234) == "−1\u{202F}234")
    #expect(
      Shown.count(1, "line", "lines") == "1 line" && Shown.count(2, "line", "lines") == "2 lines")
    #expect(Shown.number(-0.00001, 3) == "0.000" && Shown.number(-0.5, 1) == "−0.5")
    #expect(Shown.score(.nan) == "–" && Shown.score(nil) == "–" && Shown.score(5) == "5.000")
  }
}
