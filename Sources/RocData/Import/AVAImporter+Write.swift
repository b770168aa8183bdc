import RocNames
import RocStore

/// What goes into the database.
extension AVAImporter {
  func key(_ id: Int) -> ImageKey { ImageKey(keyStart + String(id) + keyEnd) }

  func writeSamples(
    _ writer: DatasetWriter, images: ImageFolder?, _ ids: inout [Int: Int64],
    _ report: inout ImportReport
  ) throws {
    var missing: [ImageKey] = []
    guard let labels else { return }
    var texts = AVASampleBlocks(labels, start: keyStart, end: keyEnd)
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
  ///
  /// Lists that earlier sources brought count as if they were in this one, and so do pictures: the
  /// same files in any order, in one import or in several, give the same parts.
  func writeSchemes(
    _ writer: DatasetWriter, _ ids: [Int: Int64], _ report: inout ImportReport
  ) throws {
    let stored = try writer.storedLists()
    var known: [String: [Int]] = [:]
    for (name, keys) in stored { known[name] = keys.compactMap(id) }
    let own = Set(schemes.flatMap { $0.parts.compactMap(\.list) }.compactMap { lists[$0]?.name })
    for list in lists.values where own.contains(list.name) { known[list.name] = list.ids }
    let bringsPictures = labels != nil
    for (name, listed) in known.sorted(by: { $0.key < $1.key })
    where own.contains(name) || bringsPictures {
      let unlabelled = listed.filter { ids[$0] == nil }.count
      try writer.setList(name, keys: listed.map(key), unlabelled: unlabelled)
      report.unlabelled.append((name, unlabelled))
    }
    for scheme in manifest.schemes ?? [] {
      let names = scheme.parts.map { part in
        part.list.map { IDList.name(of: $0, scheme: scheme.name) }
      }
      let needed = names.compactMap { $0 }
      // What new pictures change: the schemes of this source, and those that are stored.
      let isNew = schemes.contains { $0.name == scheme.name }
      let isStored = try !isNew && bringsPictures && !writer.members(scheme.name).isEmpty
      guard isNew || isStored else { continue }
      let isWhole = needed.allSatisfy { known[$0] != nil }
      let listed = Set(needed.flatMap { known[$0] ?? [] })
      for (part, name) in zip(scheme.parts, names) {
        let members: [Int64]
        if let name {
          guard let list = known[name] else { continue }
          members = list.compactMap { ids[$0] }
        } else {
          guard isWhole else { continue }
          members = ids.lazy.filter { !listed.contains($0.key) }.map(\.value)
        }
        try writer.setMembers(scheme.name, part.part, members)
        report.splits.append((scheme.name, part.part, members.count))
      }
    }
  }

  /// The id in a picture's key.
  private func id(_ key: ImageKey) -> Int? {
    Int(String(Substring(key.text.utf8.dropFirst(keyStart.utf8.count).dropLast(keyEnd.utf8.count))))
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
          SetAsideLine(
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
