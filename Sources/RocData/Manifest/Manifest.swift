import RocScore
package import RocStore
import RocTensor
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
    /// Scales that copies of the labels are known to use, when it is not always low…high.
    package let scales: [Range]?
  }

  /// The code that reads the files.
  package enum Importer: String, Sendable, Codable {
    /// AVA's label package.
    case ava
    /// Tables whose columns the manifest names.
    case table
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
    /// The rows of its test list, which tell it from another scheme with the same file names.
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

  package let name: String
  package let title: String
  package let importer: Importer
  package let source: String
  package let licence: String
  package let citation: String
  package let score: Score
  package let votes: Votes?
  package let labels: Labels?
  package let tables: [Table]?
  package let images: Images
  package let vocabularies: [Vocabulary]?
  package let defaultScheme: String
  package let schemes: [Scheme]?
  package let seeded: Seeded?
  package let tags: [Tags]?
  package let knownCounts: [String]?
  package let defects: [String]?
  package let `protocol`: [String: String]?

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
    case images
    case vocabularies
    case defaultScheme = "default_scheme"
    case schemes
    case seeded
    case tags
    case knownCounts = "known_counts"
    case defects
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
      self = try YAMLDecoder().decode(Manifest.self, from: yaml)
    } catch {
      throw DataError("\(path): not a dataset manifest: \(error)")
    }
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
  }

  /// Every scheme that the files or a rule may give.
  private var schemeNames: Set<String> {
    var names = Set((schemes ?? []).map(\.name))
    for table in tables ?? [] {
      if let part = table.part { names.insert(String(part.prefix { $0 != "/" })) }
      if let column = table.partColumn { names.insert(column.scheme) }
    }
    if let seeded { names.insert(seeded.scheme) }
    return names
  }

  /// The row that the database keeps.
  package var record: DatasetRecord {
    record(range: ScoreRange(low: score.low, high: score.high))
  }

  /// The row for labels that use the scale `range`.
  func record(range: ScoreRange) -> DatasetRecord {
    DatasetRecord(
      name: name, title: title, range: range, higherIsBetter: score.direction == .higher,
      threshold: score.threshold ?? (range.low + range.high) / 2,
      bins: votes.map { .init(count: $0.bins, first: $0.first, step: $0.step) },
      defaultScheme: defaultScheme, namesArePhotos: images.namesArePhotos ?? false)
  }
}
