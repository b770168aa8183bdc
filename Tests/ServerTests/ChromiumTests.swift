import Foundation
import RocJSON
import RocTestSupport
import Testing

/// People look at the pages in a real browser.
@Suite(
  .enabled(
    if: FileManager.default.fileExists(atPath: Chromium.path), "chromium-driver is not installed"))
struct ChromiumTests {
  @Test func walksThroughTheSite() throws {
    let site = try DemoSite()
    let browser = try Chromium()
    // Where a picture of a page goes, to be looked at; ROC_SCREENSHOTS=FOLDER.
    let screenshots = ProcessInfo.processInfo.environment["ROC_SCREENSHOTS"]
    func look(_ name: String) throws {
      if let screenshots { try browser.screenshot(to: "\(screenshots)/\(name).png") }
    }
    func heading() throws -> String {
      try browser.run("return document.querySelector('h1').textContent").string ?? ""
    }
    try browser.open("\(site.address)/")
    #expect(try heading() == "Datasets")
    try browser.click(".card h2 a")
    #expect(try heading().hasPrefix("AVA demo"))
    try browser.wait("document.querySelector('img.figure').naturalWidth > 0")
    try look("dataset")

    // The gallery grows when it is scrolled, sorted as was chosen.
    try browser.click("main a[href$='/pictures']")
    try browser.run("document.querySelector('[name=sort]').value = '-score'")
    try browser.click("form.filter button")
    try browser.wait("location.search.includes('sort=-score')")
    #expect(try browser.run("return document.querySelectorAll('.gallery li').length") == 60)
    try browser.run("window.scrollTo(0, document.body.scrollHeight)")
    try browser.wait("document.querySelectorAll('.gallery li').length >= 120")
    let scores = try browser.run(
      "return [...document.querySelectorAll('.gallery b')].map((b) => Number(b.textContent))"
    ).array?.compactMap(\.double)
    #expect(scores?.count ?? 0 >= 120 && scores == scores?.sorted(by: >))
    try browser.wait("document.querySelector('.gallery img').naturalWidth > 0")
    try look("gallery")

    // A picture, and by keys to the next one and back.
    try browser.run("window.scrollTo(0, 0)")
    try browser.click(".gallery li a")
    let first = try heading()
    try browser.wait("document.querySelector('.large').naturalWidth > 0")
    try browser.press("\u{E014}")
    try browser.wait("document.querySelector('h1').textContent !== '\(first)'")
    #expect(
      try browser.run("return document.querySelector('.pager span').textContent") == "2 of 240")
    try browser.press("\u{E012}")
    try browser.wait("document.querySelector('h1').textContent === '\(first)'")

    // A picture of the test split has an answer of each run.
    try browser.open("\(site.address)/datasets/ava/pictures?split=official%2Ftest")
    try browser.click(".gallery li a")
    #expect(
      try browser.run("return document.querySelectorAll('.bars .predicted').length").int ?? 0 >= 20)
    try look("picture")
    try browser.click("h2 a[href^='/runs/']")
    #expect(try heading().hasPrefix("Run 1: demo-checkpoint"))
    // The points of the scatter plot are pictures.
    try browser.wait("document.querySelector('.scatter canvas')")
    try look("run")
    let run = try browser.address
    #expect(
      try browser.run("return document.querySelectorAll('.figures img').length").int ?? 0 >= 4)
    try browser.run(
      """
      const canvas = document.querySelector('.scatter canvas');
      const box = canvas.getBoundingClientRect();
      for (let left = 0; left < box.width; left += 4) {
        for (let top = 0; top < box.height; top += 4) {
          const place = { clientX: box.left + left, clientY: box.top + top };
          canvas.dispatchEvent(new MouseEvent('mousemove', place));
          if (canvas.classList.contains('over')) {
            canvas.dispatchEvent(new MouseEvent('click', place));
            return;
          }
        }
      }
      """)
    try browser.wait("location.pathname.startsWith('/pictures/')")

    try browser.open("\(site.address)/runs")
    #expect(try browser.run("return document.querySelectorAll('tbody tr').length") == 2)
    try look("runs")
    // Both are chosen before anything is sent.
    try browser.run(
      """
      for (const [name, value] of [["a", "2"], ["b", "1"]]) {
        const field = document.querySelector(`[name=${name}]`);
        field.value = value;
        field.dispatchEvent(new Event("change", { bubbles: true }));
      }
      """)
    try browser.click("form.filter button")
    try browser.wait("location.pathname === '/compare'")
    #expect(try browser.address.hasSuffix("/compare?a=2&b=1"))
    try browser.wait("document.querySelectorAll('tbody tr').length > 6")
    try look("compare")
    try browser.open("\(site.address)/runs/2")
    try browser.wait(
      "[...document.querySelectorAll('h2')].some((h) => h.textContent === 'Training')")

    for page in ["leaks", "look-alikes", "set-aside"] {
      try browser.open("\(site.address)/datasets/ava/\(page)")
      try browser.wait("!document.querySelector('[data-waits]')")
      #expect(try heading() != "404")
    }
    #expect(run.contains("/runs/1"))
    #expect(try browser.complaints() == [])
    let requests = try browser.requests()
    #expect(requests.contains("\(site.address)/runs"))
    for address in requests { #expect(address.hasPrefix("\(site.address)/"), "\(address)") }
  }

  @Test func dropsPictures() throws {
    let server = try RunningServer(
      ["--checkpoint", "\(Fixture.repository)/Examples/demo-checkpoint", "--precision", "f32"])
    let images = Fixture.path("images")
    let names = ["photo_640x427.jpg", "black_30x30.png", "baseline444_96x64.jpg"]
    let expected = try CommandRun(
      "roc-eval",
      [
        "score", "--checkpoint", "\(Fixture.repository)/Examples/demo-checkpoint", "--precision",
        "f32", "--jsonl",
      ] + names, folder: images
    ).output.split(separator: "\n").map {
      try #require(try JSON.parse(String($0))["score"]?.double)
    }
    let browser = try Chromium()
    try browser.open("http://127.0.0.1:\(server.port)/")
    try browser.type(
      names.map { "\(images)/\($0)" }.joined(separator: "\n"), into: "#files")
    let folder = try TemporaryFolder()
    let broken = try folder.write("no picture", to: "broken.jpg")
    try browser.type(broken, into: "#files")
    try browser.wait(
      "document.getElementById('count').textContent === '3 of 4 scored, 1 without a score'")
    let shown = try browser.run(
      "return [...document.querySelectorAll('.tried b')].map((b) => b.textContent)"
    ).array?.compactMap(\.string)
    let best = expected.sorted(by: >).map { String(format: "%.3f", $0) }
    #expect(shown == best + ["no score"])
    #expect(
      try browser.run("return document.querySelector('.reason').textContent").string?
        .hasPrefix("broken.jpg: not a JPEG") == true)
    // As a drop of files does.
    try browser.run(
      """
      const files = new DataTransfer();
      files.items.add(new File(['x'], 'dropped.png'));
      document.getElementById('drop').dispatchEvent(
        new DragEvent('drop', { dataTransfer: files, bubbles: true, cancelable: true }));
      """)
    try browser.wait("document.getElementById('count').textContent.startsWith('3 of 5')")
    try browser.wait("document.getElementById('count').textContent.includes('2 without')")
    try browser.run("document.getElementById('order').value = 'worst'")
    try browser.run("document.getElementById('order').dispatchEvent(new Event('change'))")
    #expect(
      try browser.run("return document.querySelector('.tried b').textContent").string == best.last)
    try browser.click("#clear")
    #expect(try browser.run("return document.querySelectorAll('.tried').length") == 0)
    #expect(try browser.complaints() == [])
  }

  @Test(arguments: [(400, false), (1280, true)])
  func fitsNarrowAndDarkScreens(_ width: Int, _ isDark: Bool) throws {
    let site = try DemoSite()
    let browser = try Chromium(width: width, isDark: isDark)
    let screenshots = ProcessInfo.processInfo.environment["ROC_SCREENSHOTS"]
    for path in [
      "/", "/datasets/ava", "/datasets/ava/pictures", "/pictures/1", "/runs", "/runs/1",
      "/compare?a=1&b=2", "/try",
    ] {
      try browser.open(site.address + path)
      #expect(try browser.run("return innerWidth").int == width)
      // Nothing sticks out: wide tables scroll by themselves.
      let room = try browser.run(
        "return document.documentElement.scrollWidth - document.documentElement.clientWidth")
      #expect(room == 0, "\(path)")
      let colour = try browser.run("return getComputedStyle(document.body).backgroundColor")
      #expect(colour == (isDark ? "rgb(16, 20, 24)" : "rgb(255, 255, 255)"), "\(path)")
      if let screenshots {
        try browser.screenshot(
          to: "\(screenshots)/\(width)\(path.map { $0.isLetter ? String($0) : "-" }.joined()).png")
      }
    }
  }
}
