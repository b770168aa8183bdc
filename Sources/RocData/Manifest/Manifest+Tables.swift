extension Manifest {
  /// A table of labels: one picture a line, columns by name.
  package struct Table: Sendable, Codable, Equatable {
    /// The end of the path; a `*` in the file name stands for any text.
    package let files: String
    /// The import fails without it.
    package let required: Bool?
    /// Left out when a file of this name is there, which holds the same labels.
    package let unless: String?
    package let format: Format?
    /// Column names of a file without a header.
    package let header: [String]?
    /// The column with the picture's path.
    package let key: String
    /// The column of gt_score; a table without it adds to pictures that others label.
    package let score: String?
    /// Columns of numbers that are kept as attributes.
    package let attributes: [String]?
    /// A column of numbers whose attribute is named by what `*` stands for.
    package let namedAttribute: String?
    /// The name under which what `*` stands for is kept with each picture.
    package let nameKept: String?
    package let votes: VoteColumns?
    /// `scheme/part` of every picture in the file.
    package let part: String?
    package let partColumn: PartColumn?

    enum CodingKeys: String, CodingKey {
      case files
      case required
      case unless
      case format
      case header
      case key
      case score
      case attributes
      case namedAttribute = "named_attribute"
      case nameKept = "name_kept"
      case votes
      case part
      case partColumn = "part_column"
    }
  }

  /// How fields are told apart.
  package enum Format: String, Sendable, Codable {
    /// Commas and quotes.
    case csv
    /// Blanks or tabs.
    case blank
  }

  /// The columns of a vote histogram: counts, or shares of `total`.
  package struct VoteColumns: Sendable, Codable, Equatable {
    package let columns: [String]
    package let total: String?
  }

  /// A column that says in which part a picture is.
  package struct PartColumn: Sendable, Codable, Equatable {
    package let column: String
    package let scheme: String
    /// The column's values and the parts they mean.
    package let values: [String: String]
  }

  /// A scale that label files are known to use.
  package struct Range: Sendable, Codable, Equatable {
    package let low: Double
    package let high: Double
  }

  /// A division by rule for datasets that publish none: the same pictures on every machine.
  package struct Seeded: Sendable, Codable, Equatable {
    package let scheme: String
    package let seed: Int
    /// The share of test pictures.
    package let test: Double
  }
}
