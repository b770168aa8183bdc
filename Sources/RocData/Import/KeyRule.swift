import RocJSON
import RocNames
import RocTables

/// How a dataset's tables name pictures and raters.
struct KeyRule {
  /// Ids to which the manifest adds an ending are numbers, which some tables write as `1992.0`.
  private let areIDs: Bool

  /// The ending that the manifest adds to ids, in lower case; some tables write it, too.
  private let ending: String?

  init(_ manifest: Manifest) {
    let name = manifest.images.name
    areIDs = name != "{id}"
    ending = name.utf8.starts(with: "{id}.".utf8) ? PathName.ending(name) : nil
  }

  /// Bytes of a path on Linux.
  private static let longest = 4096

  /// The name of a row's picture, with forward slashes.
  ///
  /// - Throws: `DataError` for a row whose width differs from the header's, and for a name that is
  ///   empty, a list, or not UTF-8: names that were mended alike would be one picture.
  func key(_ row: TableRow, _ reader: TableReader) throws(DataError) -> ImageKey {
    guard row.fields.count == reader.header.count else {
      throw DataError("\(row.fields.count) fields, expected \(reader.header.count)")
    }
    let names = reader.table.key ?? Manifest.Names([])
    guard case (let column, var text)? = reader.field(row, names), !text.isEmpty else {
      throw DataError("\(names.all.joined(separator: " or ")) is empty")
    }
    if let value = row.json?[column], value.string == nil, value.double == nil {
      guard let path = try PictureCell.path(value, column) else {
        throw DataError("\(column) is \(value.kind), expected the name of one picture")
      }
      text = path
    }
    guard !text.unicodeScalars.contains("\u{FFFD}") else {
      throw DataError("\(column) is not UTF-8: \"\(text)\"; convert the file")
    }
    guard !areIDs || !NumberedName.isRounded(text) else {
      throw DataError(
        "\(column) is \(text): a spreadsheet has rounded this id, so digits are lost; export it as text"
      )
    }
    var plain = areIDs ? NumberedName.whole(text) ?? text : text
    if let ending, PathName.ending(plain) == ending { plain = PathName.stem(plain) }
    let name = try reader.names?.name(in: plain, column) ?? plain
    let path = PathName.withSlashes(name)
    guard path.utf8.count <= Self.longest else {
      throw DataError(
        "\(column) is a name of \(path.utf8.count) bytes, more than the \(Self.longest) of a path")
    }
    // Line ends are odd, but folders have them; nothing of a terminal's is a name.
    guard !path.unicodeScalars.contains(where: Quoted.isHarmful) else {
      throw DataError("\(column) is \(Quoted.name(path)), a name with control characters")
    }
    // A copy's folders are not part of the name.
    for prefix in reader.table.keyPrefixes?.all ?? [] where path.utf8.starts(with: prefix.utf8) {
      return ImageKey(String(Substring(path.utf8.dropFirst(prefix.utf8.count))))
    }
    return ImageKey(path)
  }

  /// The name of a row's rater.
  func rater(_ row: TableRow, _ reader: TableReader, _ column: String) throws(DataError)
    -> String
  {
    guard row.fields.count == reader.header.count else {
      throw DataError("\(row.fields.count) fields, expected \(reader.header.count)")
    }
    guard let name = reader.field(row, column), !name.isEmpty else {
      throw DataError("\(column) is empty")
    }
    return NumberedName.whole(name) ?? name
  }
}

/// The names in the texts of a column, by a regular expression.
final class NamePattern {
  private let rule: Manifest.KeyMatch
  private let regex: Regex<AnyRegexOutput>
  /// The text that each name was found in.
  private var texts: [ExactText: ExactText] = [:]

  /// - Returns: Nil for a pattern that is no regular expression.
  init?(_ rule: Manifest.KeyMatch) {
    guard let regex = try? Regex(rule.pattern).matchingSemantics(.unicodeScalar) else { return nil }
    self.rule = rule
    self.regex = regex
  }

  /// The groups of the expression, put together.
  ///
  /// - Throws: `DataError` for a text without a name, and for one whose name was found in another:
  ///   two pictures would be one.
  func name(in text: String, _ column: String) throws(DataError) -> String {
    guard let match = text.firstMatch(of: regex) else {
      throw DataError("\(column) is \"\(text)\", expected \(rule.pattern) in it")
    }
    let name = match.output.dropFirst().compactMap { $0.substring.map(String.init) }
      .joined(separator: rule.join)
    guard rule.isUnique == true else { return name }
    if let other = texts[name], other != ExactText(text) {
      throw DataError(
        "\(column) is \"\(text)\", whose name \(name) is also that of \(other); give one of them another name"
      )
    }
    texts[name] = ExactText(text)
    return name
  }
}
