import RocFiles
import RocNames
package import RocScore
package import RocStore
package import RocTables
import Yams

/// What is known about a dataset before its files are seen; one YAML file each in `manifests/`.
package struct Manifest: Sendable, Codable, Equatable {
  /// The scale of the scores and how a good picture is told from a bad one.
  package struct Score: Sendable, Codable, Equatable {
    package let description: String
    package let low: Double
    package let high: Double
    package let direction: Direction
    /// A picture above it counts as good; the middle of the scale when absent.
    package let threshold: Double?
    /// What questions and answers call the score; aesthetics when absent.
    package let word: String?
    /// Scales that copies of the labels are known to use, when it is not always low…high.
    package let scales: [Range]?
  }

  /// The code that reads the files.
  package enum Importer: String, Sendable, Codable {
    /// AVA's label package.
    case ava
    /// Tables whose columns the manifest names.
    case table
    /// Comments on AVA's pictures.
    case captions
  }

  package enum Direction: String, Sendable, Codable {
    case higher
    case lower
  }

  /// The bins of published vote counts.
  package struct Votes: Sendable, Codable, Equatable {
    package let bins: Int
    package let first: Double
    package let step: Double
  }

  /// The file with one labelled picture a line.
  package struct Labels: Sendable, Codable, Equatable {
    package let file: String
    package let description: String
    package let columns: [String]
  }

  /// How an id becomes a file name; `{id}` stands for it.
  package struct Images: Sendable, Codable, Equatable {
    package let name: String
    /// Pictures of the same base name in different folders show the same photo.
    package let namesArePhotos: Bool?

    enum CodingKeys: String, CodingKey {
      case name
      case namesArePhotos = "names_are_photos"
    }
  }

  /// Names of numbered things, one `<number> <name>` a line.
  package struct Vocabulary: Sendable, Codable, Equatable {
    package let kind: String
    package let file: String
  }

  /// A named division of the pictures.
  package struct Scheme: Sendable, Codable, Equatable {
    package let name: String
    package let parts: [Part]
    /// How many rows its test list has: tells it from another scheme with the same file names.
    package let testRows: Int?

    enum CodingKeys: String, CodingKey {
      case name
      case parts
      case testRows = "test_rows"
    }
  }

  /// The ids of a list, or all labelled pictures in no other part.
  package struct Part: Sendable, Codable, Equatable {
    package let part: String
    package let list: String?
    package let rest: Bool?
  }

  /// Labels from a vocabulary for the ids of a list.
  package struct Tags: Sendable, Codable, Equatable {
    package let kind: String
    package let ids: String
    package let labels: String
  }

  package var name: String
  package private(set) var title: String
  /// What the program calls it where another name was given.
  private(set) var knownName: String?
  package let importer: Importer
  package let source: String
  package let licence: String
  package let citation: String
  package var score: Score
  package let votes: Votes?
  package let labels: Labels?
  package let tables: [Table]?
  /// The scale of attributes, and the scales of those that have another one.
  package let attributeRange: Range?
  package let attributeRanges: [String: Range]?
  /// What questions and answers call attributes whose names do not say it.
  package let attributeWords: [String: String]?
  /// A format in which files of any dataset come: the first folder of a picture says of which.
  package let isOfAnyDataset: Bool?
  /// A format that any dataset may have: what is known of a dataset is the user's to state.
  package let isGeneric: Bool?
  /// Files of any name may belong to it when their columns do.
  package let hasAnyName: Bool?
  /// Columns that `auto` requires before it claims a file of any name.
  package let recognisedBy: [String]?
  /// Pictures without a score are no defect of its files.
  package let takesUnlabelled: Bool?
  package let images: Images
  package let vocabularies: [Vocabulary]?
  package let defaultScheme: String
  package let schemes: [Scheme]?
  package let seeded: Seeded?
  /// The columns that name what pictures were made from: seeded divisions keep such pictures
  /// together, and audits look for them.
  package let group: Names?
  package let variants: [Variant]?
  package let derived: [Derived]?
  package let byRaters: ByRaters?
  package let raterTables: [RaterTable]?
  package let raterSchemes: [RaterScheme]?
  package let leftOut: LeftOut?
  /// The attribute that holds the standard deviation of the ratings, or their variance.
  package let deviation: String?
  package let variance: String?
  package let tags: [Tags]?
  package let knownCounts: [String]?
  package let defects: [String]?
  /// The test part that published numbers are measured on.
  package let benchmark: Benchmark?
  package let `protocol`: [String: String]?
  /// The text that it was read from.
  package var text = ""

  enum CodingKeys: String, CodingKey {
    case name
    case title
    case importer
    case source
    case licence
    case citation
    case score
    case votes
    case labels
    case tables
    case attributeRange = "attribute_range"
    case attributeRanges = "attribute_ranges"
    case attributeWords = "attribute_words"
    case isOfAnyDataset = "of_any_dataset"
    case isGeneric = "generic"
    case hasAnyName = "any_name"
    case recognisedBy = "recognised_by"
    case takesUnlabelled = "takes_unlabelled"
    case images
    case vocabularies
    case defaultScheme = "default_scheme"
    case schemes
    case seeded
    case group
    case variants
    case derived
    case byRaters = "by_raters"
    case raterTables = "rater_tables"
    case raterSchemes = "rater_schemes"
    case leftOut = "left_out"
    case deviation
    case variance
    case tags
    case knownCounts = "known_counts"
    case defects
    case benchmark
    case `protocol`
  }

  /// Reads a manifest file.
  package static func read(_ path: String) throws(DataError) -> Manifest {
    let file = try MappedFile.ofData(path)
    return try Manifest(yaml: file.text, path: path)
  }

  /// Reads a manifest.
  ///
  /// - Throws: `DataError` with the line of what is wrong.
  package init(yaml: String, path: String) throws(DataError) {
    do {
      self = try YAMLDecoder().decode(Manifest.self, from: ManifestDefaults.filled(yaml))
    } catch {
      throw DataError("\(path): not a dataset manifest: \(YAMLReason.text(error))")
    }
    text = yaml
    guard score.low < score.high else {
      throw DataError("\(path): score.low \(score.low) is not below score.high \(score.high)")
    }
    for scheme in schemes ?? [] {
      for part in scheme.parts {
        guard SplitName.parts.contains(part.part) else {
          throw DataError(
            "\(path): scheme \(scheme.name) has a part \(part.part), expected train, val or test")
        }
        guard (part.list != nil) != (part.rest == true) else {
          throw DataError(
            "\(path): \(scheme.name)/\(part.part) needs either a list or rest: true")
        }
      }
    }
    guard schemeNames.contains(defaultScheme) else {
      throw DataError("\(path): default_scheme \(defaultScheme) is not among the schemes")
    }
    guard (labels != nil) != (tables != nil) else {
      throw DataError("\(path): needs either labels or tables")
    }
    try checkRules(path)
    for table in tables ?? [] {
      guard !table.files.all.isEmpty else { throw DataError("\(path): a table names no files") }
      guard table.key != nil || table.format == .paths else {
        throw DataError("\(path): the table \(table.files.all[0]) names no key column")
      }
      guard let variant = table.variant else { continue }
      guard (variants ?? []).contains(where: { $0.name == variant }) else {
        throw DataError("\(path): variant \(variant) is not among the variants")
      }
    }
  }

  /// Every scheme that the files or a rule may give.
  package var schemeNames: Set<String> {
    var names = Set((schemes ?? []).map(\.name))
    for table in tables ?? [] {
      if let part = table.part { names.insert(String(part.prefix { $0 != "/" })) }
      if let column = table.partColumn { names.insert(column.scheme) }
    }
    if let seeded { names.insert(seeded.scheme) }
    if let byRaters { names.insert(byRaters.scheme) }
    for scheme in derived ?? [] { names.insert(scheme.name) }
    return names
  }

  /// The scale of an attribute, when the manifest states it.
  ///
  /// - Parameters:
  ///   - attribute: Its name.
  ///   - variant: The copy of the labels that it is from, which may have another scale.
  /// - Returns: Nil also for deviations, which are not scores on that scale.
  package func range(of attribute: String, variant: String? = nil) -> ScoreRange? {
    if let copy = variants?.first(where: { $0.name == variant }) {
      return copy.attributeRange.map { ScoreRange(low: $0.low, high: $0.high) }
    }
    let isDeviation =
      [deviation, variance].contains(attribute) || attribute.hasSuffix("_std")
      || attribute.hasPrefix("std_")
    let own = attributeRanges?.first { $0.key.isExactly(attribute) }?.value
    let range = own ?? (isDeviation ? nil : attributeRange)
    return range.map { ScoreRange(low: $0.low, high: $0.high) }
  }

  /// The scale of a table's scores, when there is only one that it can be.
  func onlyScale(_ table: Table) -> ScoreRange? {
    if let name = table.variant {
      return variants?.first { $0.name == name }.map { ScoreRange(low: $0.low, high: $0.high) }
    }
    guard (score.scales?.count ?? 0) < 2 else { return nil }
    let only = score.scales?.first ?? Range(low: score.low, high: score.high)
    return ScoreRange(low: only.low, high: only.high)
  }

  /// Gives the dataset another name, by which it is then called everywhere.
  package mutating func rename(_ name: String) {
    if name != self.name {
      title = name
      knownName = knownName ?? self.name
    }
    self.name = name
  }

  /// States the scale of labels whose files do not say it.
  package mutating func declare(_ range: ScoreRange) {
    score = Score(
      description: score.description, low: range.low, high: range.high,
      direction: score.direction, threshold: nil, word: score.word, scales: nil)
  }

  /// States that a smaller score means a better picture, for tables that do not say it.
  package mutating func declareLowerIsBetter() {
    score = Score(
      description: score.description, low: score.low, high: score.high, direction: .lower,
      threshold: score.threshold, word: score.word, scales: score.scales)
  }

  /// The row that the database keeps.
  package var record: DatasetRecord { record(range: nil, variant: nil) }

  /// The row for labels that use the scale `range` or are the copy `variant`.
  func record(range: ScoreRange?, variant: Variant?) -> DatasetRecord {
    let range = range ?? ScoreRange(low: score.low, high: score.high)
    let isDeclared = range == ScoreRange(low: score.low, high: score.high)
    return DatasetRecord(
      name: name, title: title, range: range, higherIsBetter: score.direction == .higher,
      threshold: isDeclared ? score.threshold ?? range.middle : range.middle,
      bins: variant == nil
        ? votes.map { .init(count: $0.bins, first: $0.first, step: $0.step) } : nil,
      defaultScheme: variant?.defaultScheme ?? defaultScheme,
      namesArePhotos: images.namesArePhotos ?? false, variant: variant?.name, manifest: text)
  }
}
