/// The one rule by which names in lists, predictions and records are matched to stored pictures.
///
/// Files on disk are found by `ImageFolder`; AVA's own lists hold ids (`IDList`).
///
/// A name means the picture that has it, byte by byte; else the only one that has it as its path
/// without an ending, as its base name, or as its base name without an ending. Test pictures of AADB
/// carry their score (`0.500_<name>`), and spreadsheets write ids as `953619.0`: both are taken off.
/// Names that differ in Unicode form, letter case or leading zeros are other names, unless loose
/// names are asked for.
package struct NameIndex: Sendable {
  private let names: [ImageKey]
  private var exact: [ImageKey: Int] = [:]
  /// Nil for a name that several pictures have.
  private var partial: [ExactText: Int?] = [:]
  /// By what loose names have in common; Swift's own equality folds Unicode forms.
  private var loose: [String: [Int]] = [:]
  private let isLoose: Bool

  /// - Parameters:
  ///   - names: Of all pictures.
  ///   - isLoose: Also takes the only picture whose name differs in Unicode form, letter case,
  ///     leading zeros or ending.
  package init(_ names: [ImageKey], isLoose: Bool = false) {
    self.names = names
    self.isLoose = isLoose
    exact.reserveCapacity(names.count)
    for (place, key) in names.enumerated() {
      exact[key] = place
      let name = key.text
      let base = PathName.base(name)
      for part in Set(names: [PathName.stem(name), base, PathName.stem(base)]) {
        if let known = partial[part] {
          if known.map({ names[$0] != key }) ?? false { partial[part] = .some(nil) }
        } else {
          partial[part] = .some(place)
        }
      }
      loose[Self.folded(name), default: []].append(place)
    }
  }

  /// The place of the picture that a name means; nil where none or several could be meant.
  package func place(of name: String) -> Int? {
    let path = PathName.slashed(name)
    if let place = plain(path) { return place }
    if let bare = Self.withoutScore(path), let place = plain(bare) { return place }
    if let whole = NumberedName.whole(PathName.stem(path)), let place = plain(whole) {
      return place
    }
    guard isLoose else { return nil }
    let near = near(path)
    return near.count == 1 ? near[0] : nil
  }

  private func plain(_ path: String) -> Int? {
    if let place = exact[ImageKey(path)] { return place }
    for part in [PathName.stem(path), PathName.base(path), PathName.stem(PathName.base(path))] {
      if let found = partial[ExactText(part)], let place = found { return place }
    }
    return nil
  }

  private func near(_ path: String) -> [Int] {
    let found = loose[Self.folded(path)] ?? []
    // Two spellings of one name are told apart by the rest of the path.
    return found.count < 2
      ? found : found.filter { names[$0].text.lowercased() == path.lowercased() }
  }

  /// Why a name means no picture, where something can be said; nil where nothing is like it.
  package func hint(_ name: String) -> String? {
    let path = PathName.slashed(name)
    let ends = [PathName.stem(path), PathName.base(path), PathName.stem(PathName.base(path))]
    if ends.contains(where: { partial[ExactText($0)] == .some(nil) }) {
      return "several pictures have this name in different folders; give the whole path"
    }
    if NumberedName.isRounded(PathName.stem(path)) {
      return "a spreadsheet has rounded this id, so digits are lost; export the column as text"
    }
    guard let place = near(path).first else { return nil }
    let other = names[place].text
    return "\(other) differs only in \(Self.difference(path, other)); --loose-names takes it"
  }

  /// How two names that fold alike differ.
  package static func difference(_ a: String, _ b: String) -> String {
    let (x, y) = (PathName.base(a), PathName.base(b))
    if x.isExactly(y) { return "its folder" }
    if x == y { return "its Unicode form" }
    if x.lowercased() == y.lowercased() { return "letter case" }
    let (s, t) = (PathName.stem(x).lowercased(), PathName.stem(y).lowercased())
    return s == t ? "its ending" : "leading zeros"
  }

  /// What names that people take for the same have in common: the base name without ending, in
  /// lower case, without leading zeros.
  package static func folded(_ name: String) -> String {
    var stem = PathName.stem(PathName.base(name))
    stem = NumberedName.whole(stem) ?? stem
    if !stem.isEmpty, stem.utf8.allSatisfy({ (0x30...0x39).contains($0) }) {
      let digits = stem.utf8.drop { $0 == 0x30 }
      stem = digits.isEmpty ? "0" : String(Substring(digits))
    }
    return stem.lowercased()
  }

  /// `name` for `0.500_name`, as AADB's test pictures are called on disk.
  package static func withoutScore(_ path: String) -> String? {
    let folder = PathName.folder(path)
    let base = Array(PathName.base(path).utf8)
    guard base.count > 6, base[0] == 0x30 || base[0] == 0x31, base[1] == UInt8(ascii: "."),
      base[2...4].allSatisfy({ (0x30...0x39).contains($0) }), base[5] == UInt8(ascii: "_")
    else { return nil }
    let bare = String(decoding: base[6...], as: UTF8.self)
    return folder.isEmpty ? bare : "\(folder)/\(bare)"
  }
}
