import RocStore

/// What goes into the database.
extension AVAImporter {
  func key(_ id: Int) -> String { keyStart + String(id) + keyEnd }

  func writeSamples(
    _ writer: DatasetWriter, images: ImageFolder?, _ ids: inout [Int: Int64],
    _ report: inout ImportReport
  ) throws {
    var missing: [String] = []
    guard let labels else { return }
    var texts = AVASampleTexts(labels, start: keyStart, end: keyEnd)
    while let block = texts.next() {
      for (row, new) in block {
        let path = images?.path(of: new.key)
        if images != nil, path == nil { missing.append(new.key) }
        do {
          ids[row.id] = try writer.addSample(new, path: path, looked: images != nil)
        } catch let error as StoreError {
          throw StoreError("\(source.path): row \(row.line): \(error.message)")
        }
      }
    }
    if images != nil { report.missingImages = missing }
  }

  /// A part is written when its list is there; the rest, when all lists of its scheme are.
  func writeSchemes(
    _ writer: DatasetWriter, _ ids: [Int: Int64], _ report: inout ImportReport
  ) throws {
    let used = Set(schemes.flatMap { $0.parts.compactMap(\.list) })
    for (file, list) in lists.sorted(by: { $0.value.name < $1.value.name })
    where used.contains(file) {
      let unlabelled = list.ids.filter { ids[$0] == nil }.count
      try writer.setList(list.name, keys: list.ids.map(key), unlabelled: unlabelled)
      report.unlabelled.append((list.name, unlabelled))
    }
    for scheme in schemes {
      let files = scheme.parts.compactMap(\.list)
      let isWhole = files.allSatisfy { lists[$0] != nil }
      let listed = Set(files.flatMap { lists[$0]?.ids ?? [] })
      for part in scheme.parts {
        let members: [Int64]
        if let file = part.list {
          guard let list = lists[file] else { continue }
          members = list.ids.compactMap { ids[$0] }
        } else {
          guard isWhole else { continue }
          // The labels' order is that of the rows, which then need no sorting.
          let all = labels?.rows.map(\.id) ?? Array(ids.keys)
          members = all.lazy.filter { !listed.contains($0) }.compactMap { ids[$0] }
        }
        try writer.setMembers(scheme.name, part.part, members)
        report.splits.append((scheme.name, part.part, members.count))
      }
    }
  }

  /// A list that repeats the votes shows at once when one of two copies is scrambled.
  func compareVotes(_ writer: DatasetWriter, _ report: inout ImportReport) {
    guard lists.values.contains(where: { !$0.votes.isEmpty }) else { return }
    let known = Dictionary(
      labels.map { labels in labels.rows.map { ($0.id, labels.votes($0)) } } ?? [],
      uniquingKeysWith: { first, _ in first })
    for list in lists.values.sorted(by: { $0.name < $1.name }) {
      for (id, line) in zip(list.ids, list.lines) {
        guard let votes = list.votes[id],
          let stored = known[id] ?? writer.votes(of: key(id)),
          votes != stored
        else { continue }
        report.skipped.append(
          SkippedLine(
            file: list.file, line: line,
            reason: "image \(id) has the votes \(votes) here and \(stored) in the database",
            content: ""))
      }
    }
  }

  func writeTags(_ writer: DatasetWriter, _ ids: [Int: Int64]) throws {
    for (kind, id, numbers) in tags {
      guard let sample = ids[id] else { continue }
      let names = vocabularies.first { $0.kind == kind }?.names ?? []
      for number in numbers {
        let name = names.first { $0.number == number }?.name ?? String(number)
        try writer.setAttribute(sample, "\(kind)/\(name)", 1)
      }
    }
  }
}
