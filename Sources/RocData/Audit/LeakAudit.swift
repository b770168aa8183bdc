import RocImage
package import RocJSON
package import RocNames
package import RocStore

/// What the parts of a dataset's schemes share with each other and with given lists.
package struct LeakAudit: Sendable {
  /// Between parts of one scheme, in ways that make its numbers wrong.
  package private(set) var leaks: [Overlap] = []
  /// Between parts of one scheme by base name, where that need not be the same photo.
  package private(set) var warnings: [Overlap] = []
  /// Pictures that one scheme trains on and another tests on.
  package private(set) var between: [Overlap] = []
  /// Imported id lists that share names with the list that decides the default test part.
  package private(set) var lists: [Overlap] = []

  /// Pictures that seem to be stored twice: as many as have the base name and the score of another
  /// one, with a few of the pairs.
  package private(set) var twins: (count: Int, examples: [String]) = (0, [])

  private let dataset: DatasetRecord
  private let pictures: [Int64: Store.Identity]
  private let parts: [(name: SplitName, members: [Int64])]
  private let allLists: [(name: String, keys: [ImageKey])]

  /// Compares what the database knows about a dataset.
  ///
  /// - Parameters:
  ///   - store: Where it is.
  ///   - dataset: Which one.
  ///   - isGate: Looks inside schemes only, which is all that an export needs.
  /// - Throws: The database's errors.
  package init(_ store: Store, _ dataset: DatasetRecord, isGate: Bool = false) throws {
    self.dataset = dataset
    let manifest =
      dataset.manifest.isEmpty
      ? nil : try? Manifest(yaml: dataset.manifest, path: dataset.name)
    (pictures, parts) = try store.identities(dataset, groups: manifest?.groupColumns ?? [])
    allLists = isGate ? [] : try store.lists(dataset)
    compareInsideSchemes()
    guard !isGate else { return }
    compareSchemes()
    compareLists()
    if !dataset.namesArePhotos { findTwins() }
  }

  private mutating func findTwins() {
    struct Face: Hashable {
      let name: ExactText
      let score: Double
    }
    var first: [Face: ImageKey] = [:]
    for picture in pictures.values.sorted(by: { $0.id < $1.id }) {
      let face = Face(name: ExactText(picture.baseName), score: picture.score)
      if let other = first[face] {
        twins.count += 1
        if twins.examples.count < 5 { twins.examples.append("\(picture.key) = \(other)") }
      } else {
        first[face] = picture.key
      }
    }
  }

  /// Whether the dataset has no parts at all.
  package var isEmpty: Bool { parts.isEmpty }

  /// Leaks that touch a part, other than by base name: the same picture is on both sides.
  package func pictureLeaks(of split: SplitName) -> [Overlap] {
    leaks.filter { !$0.kind.isOfPhotos && [$0.first, $0.second].contains(split.description) }
  }

  /// Leaks that touch a part by base name or original: the same photo as another picture.
  package func photoLeaks(of split: SplitName) -> [Overlap] {
    leaks.filter { $0.kind.isOfPhotos && [$0.first, $0.second].contains(split.description) }
  }

  /// The rows of the pictures that show a photo of a part, the part's own among them.
  package func sharing(photosOf split: SplitName) -> Set<Int64> {
    let members = parts.first { $0.name == split }?.members ?? []
    var names: Set<ExactText> = []
    if dataset.namesArePhotos {
      names = Set(names: members.compactMap { pictures[$0]?.baseName })
    }
    let groups = Set(names: members.compactMap { pictures[$0]?.group })
    return Set(
      pictures.values.filter { picture in
        names.contains(picture.baseName) || picture.group.map(groups.contains) == true
      }.map(\.id))
  }

  private mutating func compareInsideSchemes() {
    for (i, a) in parts.enumerated() {
      for b in parts.dropFirst(i + 1) where b.name.scheme == a.name.scheme {
        let (same, names) = overlaps(a, b)
        leaks += same
        if let copies = overlap(.group, a, b, { $0.group }) { leaks.append(copies) }
        guard let names else { continue }
        if dataset.namesArePhotos { leaks.append(names) } else { warnings.append(names) }
      }
    }
  }

  /// What two parts share by row, content and look; and by base name other than by row.
  private func overlaps(
    _ a: (name: SplitName, members: [Int64]), _ b: (name: SplitName, members: [Int64])
  ) -> (same: [Overlap], names: Overlap?) {
    let rows = sameRows(a, b)
    var onlyA = a
    var onlyB = b
    if rows != nil {
      let shared = Set(a.members).intersection(b.members)
      onlyA.members.removeAll(where: shared.contains)
      onlyB.members.removeAll(where: shared.contains)
    }
    let found = [
      rows, overlap(.content, onlyA, onlyB) { $0.sha256 }, nearOverlap(onlyA, onlyB),
    ].compactMap { $0 }
    return (found, overlap(.baseName, onlyA, onlyB) { $0.baseName })
  }

  private mutating func compareSchemes() {
    for test in parts where test.name.part == "test" {
      for train in parts where train.name.part != "test" && train.name.scheme != test.name.scheme {
        let (same, names) = overlaps(train, test)
        between += same
        if let names, dataset.namesArePhotos { between.append(names) }
      }
    }
    let tests = parts.filter { $0.name.part == "test" }
    for (i, a) in tests.enumerated() {
      for b in tests.dropFirst(i + 1) {
        if let same = sameRows(a, b) { between.append(same) }
      }
    }
  }

  private mutating func compareLists() {
    // The default test part comes from the list that holds all of its pictures.
    guard
      let test = parts.first(where: {
        $0.name == SplitName(scheme: dataset.defaultScheme, part: "test")
      })
    else { return }
    let keys = Set(test.members.compactMap { pictures[$0]?.key })
    let own = allLists.filter { keys.isSubset(of: $0.keys) }.max {
      $0.keys.count < $1.keys.count
    }
    guard let own, !keys.isEmpty else { return }
    for list in allLists where list.name != own.name {
      if let same = Self.overlap(own, list) { lists.append(same) }
    }
  }

  /// How many names of a given list are in each part and in each imported list.
  ///
  /// - Parameters:
  ///   - names: Paths, file names, or file names without extension.
  ///   - title: The list's name in the result.
  ///   - isLoose: Also takes names that differ in Unicode form, letter case or leading zeros.
  /// - Returns: One entry for each part and list that shares a picture with it.
  package func against(_ names: [String], title: String, isLoose: Bool = false) -> [Overlap] {
    // Where a base name stands for several pictures, only a whole path says which one is meant.
    let own = pictures.values.map(\.key)
    let index = NameIndex(own, isLoose: isLoose)
    let wanted = Set(names.map(ImageKey.init))
    var listed: Set<ImageKey> = []
    for name in wanted {
      if let place = index.place(of: name.text) { listed.insert(own[place]) }
    }
    // Imported lists also name pictures that have no label.
    let plain = NameIndex(names.map(ImageKey.init), isLoose: isLoose)
    func isListed(_ key: ImageKey) -> Bool {
      listed.contains(key) || (index.place(of: key.text) == nil && plain.place(of: key.text) != nil)
    }
    let partLists = parts.map { part in
      (name: part.name.description, keys: part.members.compactMap { pictures[$0]?.key })
    }
    var result = (partLists + allLists).compactMap { list -> Overlap? in
      let found = list.keys.filter(isListed)
      guard !found.isEmpty else { return nil }
      return Overlap(
        kind: .id, first: list.name, second: title, firstCount: found.count,
        secondCount: Set(found).count, sizes: [list.keys.count, wanted.count],
        examples: found.prefix(5).map(\.text))
    }
    // Copies of listed pictures under other names.
    let copies = pictures.values.filter { isListed($0.key) }.map(\.id).sorted()
    let name = SplitName(scheme: title, part: "")
    for part in parts {
      let members = part.members.filter { id in pictures[id].map { !isListed($0.key) } ?? false }
      let others = (name: part.name, members: members)
      let (same, names) = overlaps((name, copies), others)
      for found in same + (dataset.namesArePhotos ? [names].compactMap { $0 } : []) {
        result.append(found.renamed(first: title, second: part.name.description))
      }
    }
    return result
  }

  /// Pictures that are in both parts; members are sorted by their rows.
  private func sameRows(
    _ a: (name: SplitName, members: [Int64]), _ b: (name: SplitName, members: [Int64])
  ) -> Overlap? {
    var count = 0
    var examples: [String] = []
    var i = 0
    var j = 0
    while i < a.members.count, j < b.members.count {
      if a.members[i] < b.members[j] {
        i += 1
      } else if a.members[i] > b.members[j] {
        j += 1
      } else {
        count += 1
        if examples.count < 5, let key = pictures[b.members[j]]?.key { examples.append(key.text) }
        i += 1
        j += 1
      }
    }
    guard count > 0 else { return nil }
    return Overlap(
      kind: .id, first: a.name.description, second: b.name.description, firstCount: count,
      secondCount: count, sizes: [a.members.count, b.members.count], examples: examples)
  }

  private func overlap(
    _ kind: Overlap.Kind, _ a: (name: SplitName, members: [Int64]),
    _ b: (name: SplitName, members: [Int64]), _ identity: (Store.Identity) -> String?
  ) -> Overlap? {
    let smaller = a.members.count < b.members.count ? a : b
    let larger = a.members.count < b.members.count ? b : a
    var names: [ExactText: Int] = [:]
    for id in smaller.members {
      if let name = pictures[id].flatMap(identity) { names[name, default: 0] += 1 }
    }
    guard !names.isEmpty else { return nil }
    var hits: Set<ExactText> = []
    var count = 0
    for id in larger.members {
      guard let name = pictures[id].flatMap(identity), names[name] != nil else { continue }
      count += 1
      hits.insert(name)
    }
    guard count > 0 else { return nil }
    let other = hits.reduce(0) { $0 + (names[$1.text] ?? 0) }
    let isSwapped = a.members.count < b.members.count
    var examples: [String] = []
    for id in b.members where examples.count < 5 {
      guard let picture = pictures[id], let name = identity(picture) else { continue }
      if hits.contains(name) { examples.append(picture.key.text) }
    }
    return Overlap(
      kind: kind, first: a.name.description, second: b.name.description,
      firstCount: isSwapped ? other : count, secondCount: isSwapped ? count : other,
      sizes: [a.members.count, b.members.count], examples: examples)
  }

  /// Pictures of the second part that look like one of the first, but are other files.
  private func nearOverlap(
    _ a: (name: SplitName, members: [Int64]), _ b: (name: SplitName, members: [Int64])
  ) -> Overlap? {
    func hashes(_ members: [Int64]) -> [(id: Int64, hash: PerceptualHash)] {
      members.compactMap { id in
        pictures[id]?.perceptualHash.flatMap { PerceptualHash(bytes: $0) }.map { (id, $0) }
      }
    }
    let first = hashes(a.members)
    let second = hashes(b.members)
    guard !first.isEmpty, !second.isEmpty else { return nil }
    let index = NearDuplicates(first)
    var found: Set<Int64> = []
    var examples: [String] = []
    var count = 0
    for (id, hash) in second {
      guard let match = index.match(hash), let picture = pictures[id],
        let other = pictures[match.id], picture.sha256 != other.sha256
      else { continue }
      count += 1
      found.insert(match.id)
      if examples.count < 5 { examples.append("\(picture.key) ≈ \(other.key)") }
    }
    guard count > 0 else { return nil }
    return Overlap(
      kind: .perceptual, first: a.name.description, second: b.name.description,
      firstCount: found.count, secondCount: count, sizes: [a.members.count, b.members.count],
      examples: examples)
  }

  private static func overlap(
    _ a: (name: String, keys: [ImageKey]), _ b: (name: String, keys: [ImageKey])
  ) -> Overlap? {
    let names = Set(a.keys)
    let hits = b.keys.filter { names.contains($0) }
    guard !hits.isEmpty else { return nil }
    return Overlap(
      kind: .id, first: a.name, second: b.name, firstCount: hits.count, secondCount: hits.count,
      sizes: [a.keys.count, b.keys.count], examples: hits.prefix(5).map(\.text))
  }

  /// The object of `audit --json`.
  package func json(against: [Overlap]?) -> JSON {
    [
      "schema": "roc/audit/1", "dataset": .string(dataset.name),
      "scheme": .string(dataset.defaultScheme), "leaks": .array(leaks.map(\.json)),
      "warnings": .array(warnings.map(\.json)), "between": .array(between.map(\.json)),
      "lists": .array(lists.map(\.json)),
      "same_pictures": [
        "n": .int(twins.count), "examples": .array(twins.examples.map(JSON.string)),
      ],
      "against": against.map { .array($0.map(\.json)) } ?? .null,
    ]
  }
}
