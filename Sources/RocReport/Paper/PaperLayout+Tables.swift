import RocScore

extension PaperLayout {
  private typealias Cell = PaperTable.Cell

  /// Tables 2, 3 and 6: methods are rows, each dataset has two columns.
  func plain(_ number: Int, _ datasets: [String]) -> PaperTable {
    let metrics = ["SRCC", "PLCC"]
    var lines: [PaperTable.Line] = [
      .header(
        [Cell(.text("Method"))]
          + datasets.map { Cell(.text($0), span: metrics.count, isUnderlined: true) }),
      .header(
        [Cell(.empty)] + datasets.flatMap { _ in metrics.map { Cell(Self.letter($0)) } }),
    ]
    for method in methods(number) {
      let cells = datasets.flatMap { dataset in
        metrics.map { Cell(value(number, method, .init(dataset, $0), .init(decimals: 3))) }
      }
      // The variants of table 6 are all the paper's own.
      let title = number == 6 ? method.name : method.title(number)
      lines.append(.row([Cell(.text(title))] + cells))
    }
    return PaperTable(
      caption: "",
      label: ["tab:tad-icaa", "tab:para-aadb", "tab:ablation"][number == 6 ? 2 : number - 2],
      isWide: false, columns: 1 + 2 * datasets.count, lines: lines)
  }

  /// Table 1: methods are columns in two stacked blocks, metrics are rows.
  func transposed() -> PaperTable {
    let groups: [[(title: String, methods: [String])]] = [
      [
        ("CNN-based", ["NIMA", "BIAA", "HGCN", "TANet"]),
        ("Transformer-based", ["MUSIQ", "MaxVit", "EAT"]), ("Mamba-based", ["AesMamba"]),
      ],
      [
        (
          "MLLM-based",
          [
            "LLaVA 1.5", "Q-Instruct", "AesExpert", "mPLUG-Owl2", "Qwen2-VL", "Q-Align", "CALM",
            Self.ours,
          ]
        )
      ],
    ]
    let all = methods(1)
    var blocks: [[(title: String, methods: [Method])]] = groups.map { block in
      block.map { group in
        (
          group.title,
          group.methods.compactMap { name in all.first { $0.name == name && $0.own == nil } }
        )
      }
    }
    // A page has room for eight columns: own models get blocks of their own, and compete with all.
    let own = all.filter { $0.own != nil }
    for start in stride(from: 0, to: own.count, by: 7) {
      blocks.append([("Own", Array(own[start..<min(start + 7, own.count)]))])
    }
    var lines: [PaperTable.Line] = []
    var columns = 0
    for (place, shown) in blocks.enumerated() {
      let methods = shown.flatMap(\.methods)
      columns = max(columns, methods.count)
      if place > 0 { lines.append(.rule) }
      lines.append(
        .header(
          [Cell(.text("Metric (AVA)"))]
            + shown.map { Cell(.text($0.title), span: $0.methods.count, isUnderlined: true) }))
      lines.append(.header([Cell(.empty)] + methods.map { Cell(.text($0.name)) }))
      lines.append(
        .header(
          [Cell(.empty)]
            + methods.map { Cell($0.venue.isEmpty ? .empty : .text("(\($0.venue))")) }))
      for metric in ["SRCC", "PLCC", "MAE"] {
        lines.append(
          .row(
            [Cell(Self.letter(metric))]
              + methods.map { Cell(value(1, $0, .init("AVA", metric), .init(decimals: 3))) }))
      }
    }
    return PaperTable(
      caption: "", label: "tab:ava", isWide: true, columns: columns + 1, lines: lines)
  }

  /// Table 4: two lines a method, PLCC above SRCC, its venue below its name.
  func pairs() -> PaperTable {
    let groups: [(title: String, dataset: String, attributes: [String])] = [
      (
        "Attributes in AADB", "AADB",
        ["Color Harmony", "DoF", "Light", "Motion Blur", "RoT", "Vivid Color"]
      ),
      ("Attributes in PARA", "PARA", ["Composition", "Color", "DoF", "Light"]),
    ]
    var lines: [PaperTable.Line] = [
      .header(
        [Cell(.text("Method")), Cell(.text("Metric"))]
          + groups.map { Cell(.text($0.title), span: $0.attributes.count, isUnderlined: true) }),
      .header(
        [Cell(.empty), Cell(.empty)]
          + groups.flatMap { $0.attributes.map { Cell(.text($0)) } }),
    ]
    for (place, method) in methods(4).enumerated() {
      if place > 0 { lines.append(.gap) }
      for metric in ["PLCC", "SRCC"] {
        let isFirst = metric == "PLCC"
        let venue: PaperTable.Content = method.venue.isEmpty ? .empty : .text("(\(method.venue))")
        let title: PaperTable.Content = isFirst ? .text(method.name) : venue
        let values = groups.flatMap { group in
          group.attributes.map { attribute in
            Cell(
              value(
                4, method, .init(group.dataset, metric, attribute: attribute),
                .init(decimals: 2)))
          }
        }
        lines.append(.row([Cell(title), Cell(Self.letter(metric))] + values))
      }
    }
    return PaperTable(
      caption: "", label: "tab:attributes", isWide: true, columns: 12, lines: lines)
  }

  /// Table 5: a block for each base model, and in it scores alone before scores with comments,
  /// whose cells show the difference from the same method without comments.
  func blocks() -> PaperTable {
    let scores = ["SRCC", "PLCC", "MAE"]
    let texts = ["CIDEr", "SPICE"]
    let dataset = "AVA-Captions"
    var lines: [PaperTable.Line] = [
      .header([
        Cell(.text("Method")), Cell(.text("Task")),
        Cell(.text("Score Prediction"), span: 3, isUnderlined: true),
        Cell(.text("Comments Generation"), span: 2, isUnderlined: true),
      ]),
      .header(
        [Cell(.empty), Cell(.empty)] + (scores + texts).map { Cell(Self.letter($0)) }),
    ]
    let all = PublishedResults.table(5)
    let alone = "Score Prediction"
    for (place, base) in Self.bases.enumerated() {
      let name = "\(base) block"
      if place > 0 { lines.append(.rule) }
      for task in [alone, "\(alone) & Comments Generation"] {
        var shown: [String] = []
        for item in all where item.block == name && item.task == task {
          if !shown.contains(item.method) { shown.append(item.method) }
        }
        for method in shown {
          let own = all.filter { $0.method == method && $0.block == name }
          let cells = (scores + texts).map { metric -> Cell in
            guard let found = own.first(where: { $0.task == task && $0.metric == metric }) else {
              return Cell(.missing)
            }
            let before = own.first { $0.task == alone && $0.metric == metric }?.value
            let delta = task == alone ? nil : before.map { Self.delta(found.value, $0) }
            return Cell(
              .value(
                .init(
                  found.value, decimals: 3,
                  contest: .init(
                    "\(name) \(task) \(metric)", higherIsBetter: metric != "MAE"), delta: delta)))
          }
          lines.append(.row([Cell(.text(method)), Cell(.text(task))] + cells))
        }
        let rows = own.filter { $0.base == base }
        for row in rows where row.hasComments == (task != alone) {
          let before =
            row.hasComments ? rows.first { $0.name == row.name && !$0.hasComments } : nil
          let method = Method(name: row.name, venue: "", own: row)
          let cells = (scores + texts).map { metric -> Cell in
            let key = OwnRow.Key(dataset, metric)
            let delta = row.values[key].flatMap { value in
              before?.values[key].map { Self.delta(value, $0) }
            }
            return Cell(
              value(
                5, method, key,
                .init(decimals: 3, contest: "\(name) \(task) \(metric)", delta: delta)))
          }
          lines.append(.row([Cell(.text(row.name)), Cell(.text(task))] + cells))
        }
      }
    }
    return PaperTable(
      caption: "", label: "tab:comments", isWide: true, columns: 7, lines: lines)
  }

  /// `(+0.4%)`: 100 times the difference of the printed values.
  private static func delta(_ value: Double, _ before: Double) -> String {
    let percent = fixed(100 * (value - before), 1)
    let shown = Double(percent) == 0 ? "0.0" : percent
    return "(\(shown.first == "-" ? "" : "+")\(shown)%)"
  }
}
