import Foundation
import RocImage
import RocMetrics
import RocReport
import RocTestSupport
import Testing

/// The paper's tables, read back from their LaTeX.
struct PaperTableTests {
  /// The cells of every row between the rules, spans repeated, marks taken off.
  private func cells(_ latex: String) -> [[String]] {
    latex.split(separator: "\n").compactMap { line in
      let text = line.trimmingCharacters(in: .whitespaces)
      guard text.hasSuffix("\\\\"), !text.hasPrefix("\\\\") else { return nil }
      return " \(text.dropLast(2))".components(separatedBy: " & ").flatMap { cell -> [String] in
        var cell = cell.trimmingCharacters(in: .whitespaces)
        var span = 1
        if let match = cell.firstMatch(of: /^\\multicolumn\{(\d+)\}\{c\}\{(.*)\}$/) {
          span = Int(match.1) ?? 1
          cell = String(match.2)
        }
        return Array(repeating: cell, count: span)
      }
    }
  }

  private func plain(_ cell: String) -> String {
    cell.replacing(/\\(textbf|underline)\{([^}]*)\}/) { String($0.2) }
  }

  private func isBold(_ cell: String) -> Bool { cell.contains("\\textbf{") }

  /// Every published number found at its place, with whether it is bold.
  private func found(_ number: Int) -> [(key: String, value: String, isBold: Bool)] {
    let rows = cells(PaperLayout().table(number).latex())
    let metrics = ["S$\\uparrow$": "SRCC", "P$\\uparrow$": "PLCC", "M$\\downarrow$": "MAE"]
    var result: [(String, String, Bool)] = []
    func add(_ parts: [String?], _ cell: String) {
      guard cell != "-", !cell.isEmpty else { return }
      result.append(
        (parts.map { $0 ?? "" }.joined(separator: "|"), plain(cell), isBold(cell)))
    }
    switch number {
    case 1:
      var names: [String] = []
      for (place, row) in rows.enumerated() {
        if let metric = metrics[row[0]] {
          for (column, cell) in row.enumerated().dropFirst() {
            add([names[column], "AVA", metric], cell)
          }
        } else if row[0] == "Metric (AVA)" {
          names = rows[place + 1]
        }
      }
    case 4:
      for (first, second) in stride(from: 2, to: rows.count, by: 2).map({ (rows[$0], rows[$0 + 1]) }
      ) {
        for row in [first, second] {
          for column in 2..<row.count {
            let dataset = rows[0][column].hasSuffix("AADB") ? "AADB" : "PARA"
            add([first[0], dataset, metrics[row[1]], rows[1][column]], row[column])
          }
        }
      }
    case 5:
      let columns = ["SRCC", "PLCC", "MAE", "CIDEr", "SPICE"]
      for row in rows.dropFirst(2) {
        for (metric, cell) in zip(columns, row.dropFirst(2)) {
          add([row[0], "AVA-Captions", metric, row[1].replacing("\\&", with: "&")], cell)
        }
      }
    default:
      for row in rows.dropFirst(2) {
        let method = row[0].replacing(/\ \([^)]*\)$/, with: "").replacing(
          "QAligns", with: "Q-Align")
        for column in 1..<row.count {
          add([method, rows[0][column], metrics[rows[1][column]]], row[column])
        }
      }
    }
    return result
  }

  @Test(arguments: PaperLayout.numbers) func holdsEveryPublishedNumber(_ number: Int) throws {
    let published = PublishedResults.table(number)
    let read = found(number)
    #expect(read.count == published.count)
    let decimals = number == 4 ? 2 : 3
    for item in published {
      let extra = item.attribute ?? item.task
      let key = [item.method, item.dataset, item.metric, extra].compactMap { $0 }
        .joined(separator: "|")
      let hits = read.filter { $0.key == key }
      #expect(hits.count == 1, "\(key)")
      let printed = String(hits.first?.value.prefix { $0 != " " } ?? "")
      #expect(printed == String(format: "%.\(decimals)f", item.value), "\(key)")
    }
  }

  @Test func thereAre372Numbers() {
    #expect(PublishedResults.all.count == 372)
    #expect(
      PaperLayout.numbers.map { PublishedResults.table($0).count } == [46, 38, 40, 180, 56, 12])
  }

  @Test(arguments: PaperLayout.numbers) func boldIsTheBestOfItsColumn(_ number: Int) {
    var columns: [String: [(value: Double, isBold: Bool)]] = [:]
    for (place, item) in found(number).enumerated() {
      let parts = item.key.split(separator: "|", omittingEmptySubsequences: false)
      var contest = parts.dropFirst().joined(separator: "|")
      // In table 5 each base model's block is a contest of its own.
      if number == 5 { contest += "|\(place < 24 ? "mPLUG" : place < 40 ? "LLaVA" : "Qwen")" }
      let value = Double(item.value.prefix { $0 != " " }) ?? .nan
      columns[contest, default: []].append((value, item.isBold))
    }
    for (contest, items) in columns where items.count > 1 {
      let best = contest.contains("MAE") ? items.map(\.value).min() : items.map(\.value).max()
      for item in items { #expect(item.isBold == (item.value == best), "\(contest) \(item.value)") }
    }
  }

  @Test func tellsTheDifferencesOfTable5() {
    let latex = PaperLayout().table(5).latex()
    for text in ["0.835} (+0.4\\%)", "0.895 (-4.3\\%)", "(0.0\\%)", "0.317} (-0.5\\%)"] {
      let isThere = latex.contains(text) || latex.contains(text.replacing("(0.0", with: "(+0.0"))
      #expect(isThere, "\(text)")
    }
  }

  @Test func setsOwnRowsAndFindsTheBestAnew() {
    let key = OwnRow.Key("TAD66K", "SRCC")
    let own = OwnRow(name: "Mine & co", values: [key: 0.52], marks: [key: "a"])
    var table = PaperLayout(own: [own]).table(2)
    table.footnotes = ["a over 3 of 5 pictures."]
    let latex = table.latex(underlinesSecond: true)
    #expect(latex.contains("    Mine \\& co & \\textbf{0.520}$^{a}$ & - & - & - \\\\\n"))
    #expect(latex.contains("ROC4MLLM (Ours) & \\underline{0.518} & \\textbf{0.550}"))
    #expect(latex.contains("{\\footnotesize $^{a}$ over 3 of 5 pictures.}"))
    #expect(table.csv.contains("Mine & co,own,TAD66K,SRCC,,,0.52,a over 3 of 5 pictures.\n"))
    #expect(table.markdown().contains("| **0.520**<sup>a</sup> |"))
    let alone = PaperLayout(own: [own], replacesOurs: true).table(2).latex()
    #expect(!alone.contains("ROC4MLLM") && alone.contains("EAT (ACMMM 2023) & 0.517"))
    let first = PaperLayout(own: [OwnRow(name: "Mine", values: [.init("AVA", "MAE"): 0.3])])
      .table(1)
    // A page has room for eight methods: own ones stand below, and compete with all.
    #expect(first.columns == 9 && first.latex().contains("Metric (AVA) & Own \\\\"))
    #expect(first.latex().contains("    M$\\downarrow$ & \\textbf{0.300} \\\\"))
    #expect(!first.latex().contains("\\textbf{0.319}"))
  }

  @Test func setsCommentsBesideTheirScoresAlone() {
    func key(_ metric: String) -> OwnRow.Key { OwnRow.Key("AVA-Captions", metric) }
    let own = [
      OwnRow(name: "Mine", values: [key("SRCC"): 0.8, key("MAE"): 0.4]),
      OwnRow(name: "Mine", values: [key("SRCC"): 0.812, key("MAE"): 0.4, key("CIDEr"): 0.0912]),
    ]
    let latex = PaperLayout(own: own).table(5).latex()
    #expect(latex.contains("Mine & Score Prediction & 0.800 & - & 0.400 & - & - \\\\"))
    #expect(
      latex.contains(
        "Mine & Score Prediction \\& Comments Generation & 0.812 (+1.2\\%) & - & 0.400 (+0.0\\%) & \\textbf{0.091}"
      ))
  }

  @Test func saysTheSameInOtherFormats() {
    let table = PaperLayout().table(2)
    let markdown = table.markdown()
    #expect(markdown.hasPrefix("| Method | TAD66K |  | ICAA17K |  |\n|---|---:|---:|---:|---:|\n"))
    #expect(
      markdown.contains("| ROC4MLLM (Ours) | **0.518** | **0.550** | **0.894** | **0.903** |"))
    let csv = table.csv.split(separator: "\n")
    #expect(csv.count == 39 && csv[1] == "NIMA,TIP 2018,TAD66K,SRCC,,,0.39,")
    let html = table.html()
    #expect(
      html.contains("<th colspan=\"2\">TAD66K</th>") && html.contains("<td><b>0.903</b></td>"))
    #expect(!html.contains("http"))
  }

  /// Whether the tools that set and draw a page are there; `make test` installs them.
  private static let hasLaTeX = ["pdflatex", "pdftoppm"].allSatisfy {
    FileManager.default.isExecutableFile(atPath: "/usr/bin/\($0)")
  }

  private func run(_ command: String, _ arguments: [String], in folder: String) throws -> String {
    let (status, text) = try CommandRun.program(
      "/usr/bin/\(command)", arguments, folder: folder)
    #expect(status == 0, "\(command): \(text.suffix(2000))")
    return text
  }

  /// Nothing runs over a column of AAAI's page: own rows with long names and footnotes, a table of one
  /// run with intervals, a table of many columns.
  @Test(.enabled(if: hasLaTeX, "pdflatex or pdftoppm is missing: make test installs them"))
  func fitsAPageOfTwoColumns() throws {
    let folder = try TemporaryFolder()
    let names = [
      "Ours", "ROC4MLLM-mplug-owl2-7b-lora-r128-ava+tad66k_merged_bf16_epoch3",
      "checkpointwithoutanyplacetobreakitatallinitsname", "Our model, trained on all the datasets",
    ]
    var body = ""
    func add(_ text: String) throws {
      let name = "t\(body.utf8.count(where: { $0 == 0x0A }))"
      try folder.write(text, to: "\(name).tex")
      body += "\\input{\(name)}\n"
    }
    for number in PaperLayout.numbers {
      let keys = PaperLayout.keys(number)
      let rows = names.map { name in
        OwnRow(
          name: name,
          values: Dictionary(uniqueKeysWithValues: keys.map { ($0, 0.1234) }),
          marks: Dictionary(uniqueKeysWithValues: keys.map { ($0, "a") }))
      }
      var table = PaperLayout(own: rows, replacesOurs: false)
        .table(number)
      table.footnotes = [
        """
        a AVA demo (made up) is a made-up dataset, not AVA; official/test has 20 pictures, that of AVA \
        19930; labels with the mean 4.9213, those of AVA have 5.4484.
        """
      ]
      try add(table.latex(underlinesSecond: true))
    }
    for (columns, hasIntervals) in [(7, true), (7, false), (3, false), (1, true)] {
      let titles = ["SRCC", "PLCC", "KRCC", "MAE", "RMSE", "ACC", "EMD"].prefix(columns)
      try add(
        ReportTable(
          caption:
            "AVA official/test, 19928 of 19930 pictures: raw PLCC, threshold 5 (>), EMD of r = 1, BCa intervals of 10000 resamples",
          label: "tab:roc", columns: titles.map { .init(title: $0, higherIsBetter: true) },
          rows: names.map { name in
            .init(
              name: name,
              cells: titles.map { _ in
                .init(
                  value: 0.8321,
                  interval: hasIntervals ? Interval.spearman(0.8321, count: 900) : nil)
              })
          }
        ).latex)
    }
    try folder.write(
      """
      \\documentclass[twocolumn,10pt]{article}
      \\usepackage[paperwidth=8.5in,paperheight=11in,textwidth=7in,textheight=9in,columnsep=0.375in]{geometry}
      \\usepackage{booktabs}
      \\begin{document}
      \(body)\\mbox{}
      \\end{document}
      """, to: "all.tex")
    let log = try run(
      "pdflatex", ["-interaction=nonstopmode", "-halt-on-error", "all.tex"], in: folder.path)
    let wide = log.split(separator: "\n").filter { $0.contains("Overfull \\hbox") }
    #expect(wide.isEmpty, "\(wide.joined(separator: "\n"))")
  }

  /// A run of another base model stands in that model's block, below the published rows of it.
  @Test func ownRowsStandInTheBlockOfTheirBase() throws {
    let keys = PaperLayout.keys(5).filter { $0.metric != "CIDEr" }
    let rows = PaperLayout.bases.map { base in
      OwnRow(
        name: "Mine on \(base)", values: Dictionary(uniqueKeysWithValues: keys.map { ($0, 0.5) }),
        base: base)
    }
    let lines = PaperLayout(own: rows).table(5).latex(underlinesSecond: false)
      .split(separator: "\n").map(String.init)
    func place(_ start: String) throws -> Int {
      try #require(lines.firstIndex { $0.contains(start) }, "\(start)")
    }
    let order = [
      try place("mPLUG-Owl2 + ROC4MLLM"), try place("Mine on mPLUG-Owl2"), try place("LLaVA 1.5 "),
      try place("Mine on LLaVA 1.5"), try place("Qwen2-VL "), try place("Mine on Qwen2-VL"),
    ]
    #expect(order == order.sorted(), "\(order)")
  }

  /// All six tables on AAAI's page fit it and look as they did; RECORD_SNAPSHOTS=1 keeps a new look.
  @Test(.enabled(if: hasLaTeX, "pdflatex or pdftoppm is missing: make test installs them"))
  func compilesToThePagesOfBefore() throws {
    let folder = try TemporaryFolder()
    var body = ""
    for number in PaperLayout.numbers {
      try folder.write(
        PaperLayout().table(number).latex(underlinesSecond: true), to: "t\(number).tex")
      body += "\\input{t\(number)}\n"
    }
    try folder.write(
      """
      \\documentclass[twocolumn,10pt]{article}
      \\usepackage[paperwidth=8.5in,paperheight=11in,textwidth=7in,textheight=9in,columnsep=0.375in]{geometry}
      \\usepackage{booktabs}
      \\pagestyle{empty}
      \\begin{document}
      \(body)\\mbox{}
      \\end{document}
      """, to: "all.tex")
    let log = try run(
      "pdflatex", ["-interaction=nonstopmode", "-halt-on-error", "all.tex"], in: folder.path)
    #expect(!log.contains("Overfull"))
    _ = try run("pdftoppm", ["-r", "80", "-gray", "-png", "all.pdf", "page"], in: folder.path)
    for page in 2...3 {
      let name = "tables-\(page).png"
      let golden = "\(Fixture.repository)/Tests/RocReportTests/Goldens/\(name)"
      let made = "\(folder.path)/page-\(page).png"
      if ProcessInfo.processInfo.environment["RECORD_SNAPSHOTS"] == "1" {
        try? FileManager.default.removeItem(atPath: golden)
        try FileManager.default.copyItem(atPath: made, toPath: golden)
      }
      let a = try Picture.read(made)
      let b = try Picture.read(golden)
      try #require(a.width == b.width && a.height == b.height)
      let first = UnsafeBufferPointer(start: a.pixels, count: a.byteCount)
      let second = UnsafeBufferPointer(start: b.pixels, count: b.byteCount)
      let different = zip(first, second).filter { abs(Int($0) - Int($1)) > 48 }.count
      // Another build of a font may move an edge; a moved or missing word changes far more.
      #expect(Double(different) / Double(a.byteCount) < 0.0005, "\(name): \(different)")
      #expect(first.filter { $0 < 128 }.count > 10_000)
      withExtendedLifetime((a, b)) {}
    }
  }
}
