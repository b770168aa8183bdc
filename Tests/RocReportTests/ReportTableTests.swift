import RocMetrics
import RocReport
import Testing

struct ReportTableTests {
  private let table = ReportTable(
    caption: "AVA & others: 50 % of_it > 5", label: "tab:x",
    columns: [
      .init(title: "SRCC", higherIsBetter: true), .init(title: "MAE", higherIsBetter: false),
      .init(title: "N", decimals: 0, higherIsBetter: true),
    ],
    rows: [
      .init(name: "NIMA", cells: [.init(value: 0.6124), .init(value: 0.4), .init(value: nil)]),
      .init(
        name: "ROC | own_1",
        cells: [.init(value: 0.8316), .init(value: -0.0004), .init(value: 12.5)]),
    ])

  @Test func writesLaTeX() {
    #expect(
      table.latex == #"""
        \begin{table}[t]
          \centering
          \caption{AVA \& others: 50 \% of\_it $>$ 5}
          \label{tab:x}
          \footnotesize
          \setlength{\tabcolsep}{3pt}
          \begin{tabular}{lccc}
            \toprule
            Method & SRCC $\uparrow$ & MAE $\downarrow$ & N $\uparrow$ \\
            \midrule
            NIMA & 0.612 & 0.400 & -- \\
            ROC $|$ own\_1 & \textbf{0.832} & \textbf{0.000} & 12 \\
            \bottomrule
          \end{tabular}
        \end{table}

        """#)
  }

  @Test func writesMarkdown() {
    #expect(
      table.markdown == """
        | Method | SRCC ↑ | MAE ↓ | N ↑ |
        |---|---:|---:|---:|
        | NIMA | 0.612 | 0.400 | – |
        | ROC \\| own_1 | **0.832** | **0.000** | 12 |

        """)
  }

  @Test func writesAPageOfItsOwn() {
    let page = table.html
    #expect(page.contains("<p>AVA &amp; others: 50 % of_it &gt; 5</p>"))
    #expect(page.contains("<td><b>0.832</b></td>"))
    #expect(!page.contains("http"))
  }

  @Test func showsIntervalsBelowTheirValues() {
    let metrics = Metrics(
      ScoredPairs(predicted: [5, 1, 4, 2, 3, 6], truth: [6, 1, 5, 3, 2, 4]), threshold: 3)
    let table = ReportTable(method: "tiny", metrics: metrics, caption: "c")
    #expect(table.latex.contains("{\\scriptsize 95\\,\\% interval} & {\\scriptsize ["))
    // One method alone is nobody's best.
    #expect(!table.latex.contains("textbf"))
    #expect(table.rows[0].cells.count == 7)
    #expect(table.rows[0].cells[6].value == nil)
  }

  @Test func roundsAsTheCLibraryDoesAndSurvivesHugeValues() {
    // 0.0025 lies above its decimal in binary, 0.0625 is exact and goes to even.
    let table = ReportTable(
      caption: "", label: "x",
      columns: [
        .init(title: "A", higherIsBetter: true), .init(title: "B", higherIsBetter: true),
        .init(title: "C", decimals: 0, higherIsBetter: true),
      ],
      rows: [
        .init(name: "m", cells: [.init(value: 0.0025), .init(value: 0.0625), .init(value: 1e300)])
      ])
    #expect(table.markdown.contains("| m | 0.003 | 0.062 | 1000000000000000052504760255204"))
  }

  @Test func marksTiesOfPrintedValuesAsBestTogether() {
    let tied = ReportTable(
      caption: "", label: "x", columns: [.init(title: "S", higherIsBetter: true)],
      rows: [
        .init(name: "a", cells: [.init(value: 0.83201)]),
        .init(name: "b", cells: [.init(value: 0.83199)]),
        .init(name: "c", cells: [.init(value: 0.8)]),
      ])
    #expect(tied.latex.split(separator: "\n").filter { $0.contains("textbf{0.832}") }.count == 2)
  }
}
