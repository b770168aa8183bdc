extension Manifest {
  /// A table of labels: one picture a line, columns by name.
  ///
  /// A file belongs to the first table whose `files` it fits.
  package struct Table: Sendable, Codable, Equatable {
    /// The ends of paths that its files may have; a `*` stands for any text without a slash.
    package let files: Names
    /// Left out when a file with one of these names, which holds the same labels, is there.
    package let unless: Names?
    /// Inferred from the file's ending and header when absent.
    package let format: Format?
    /// Column names of a file without a header.
    package let header: [String]?
    /// The column with the picture's path, the first of several that is there, or a pattern such
    /// as `imgs/{session}/{name}`.
    package let key: Names?
    /// The column of gt_score; a table without it adds to pictures that others label.
    ///
    /// `id->` is what follows the last `->` in the column id.
    package let score: Names?
    /// Columns of numbers that are kept as attributes; `*` means all other columns of numbers.
    package let attributes: [String]?
    /// A column of numbers whose attribute is named by what `*` stands for.
    package let namedAttribute: String?
    /// The name under which what `*` stands for is kept with each picture.
    package let nameKept: String?
    package let votes: VoteColumns?
    /// Takes the mean of the votes as gt_score.
    package let meanOfVotes: Bool?
    /// Vote columns of attributes.
    package let attributeVotes: [String: VoteColumns]?
    /// Makes it a table of single ratings by the raters in this column.
    package let rater: String?
    /// Ratings give gt_score, votes and attributes where no other table does.
    package let fills: Bool?
    /// `scheme/part` of every picture in the file.
    package let part: String?
    package let partColumn: PartColumn?
    /// The copy of the labels that this is, one of `variants`; the original when absent.
    package let variant: String?
    /// MATLAB variables by column, and columns of a matrix in a cell of one.
    package let variables: [String: String]?
    package let matrix: Matrix?
    /// Makes several rows of each line of the file.
    package let wide: Wide?
    /// Which part of the key's text is the name.
    package let keyMatch: KeyMatch?
    /// Folders that this copy puts before the names of the original.
    package let keyPrefixes: Names?

    enum CodingKeys: String, CodingKey {
      case files
      case unless
      case format
      case header
      case key
      case score
      case attributes
      case namedAttribute = "named_attribute"
      case nameKept = "name_kept"
      case votes
      case meanOfVotes = "mean_of_votes"
      case attributeVotes = "attribute_votes"
      case rater
      case fills
      case part
      case partColumn = "part_column"
      case variant
      case variables
      case matrix
      case wide
      case keyMatch = "key_match"
      case keyPrefixes = "key_prefixes"
    }
  }

  /// Lines that hold several pictures: columns named alike but for a number at their end become one
  /// column, other columns are repeated.
  package struct Wide: Sendable, Codable, Equatable {
    /// The numbers go from 1 to this.
    package let count: Int
  }

  /// A regular expression whose groups, put together, are a picture's name.
  package struct KeyMatch: Sendable, Codable, Equatable {
    package let pattern: String
    package let join: String
    /// Whether a name may be found in one text only: else two pictures would become one.
    package let isUnique: Bool?

    enum CodingKeys: String, CodingKey {
      case pattern
      case join
      case isUnique = "unique"
    }
  }

  /// One name or several.
  package struct Names: Sendable, Codable, Equatable {
    package let all: [String]

    package init(_ all: [String]) { self.all = all }

    package init(from decoder: any Decoder) throws {
      let container = try decoder.singleValueContainer()
      if let one = try? container.decode(String.self) {
        all = [one]
      } else {
        all = try container.decode([String].self)
      }
    }

    package func encode(to encoder: any Encoder) throws {
      var container = encoder.singleValueContainer()
      try container.encode(all)
    }
  }

  /// How fields are told apart.
  package enum Format: String, Sendable, Codable {
    /// Commas and quotes.
    case csv
    case tsv
    case semicolon
    /// Equals signs without quotes; the last column may itself contain some.
    case equals
    /// Blanks or tabs.
    case blank
    /// Records in an array, one a line or back to back, or an object of objects by picture.
    case json
    /// The first sheet of an Excel workbook.
    case xlsx
    /// Variables of MATLAB files.
    case mat
    /// The pictures themselves: the folders above them are columns.
    case paths
  }

  /// The columns of a vote histogram: counts, or shares of `total`; or one column whose cells are
  /// lists of counts.
  package struct VoteColumns: Sendable, Codable, Equatable {
    package let columns: [String]
    package let list: String?
    package let total: String?
    /// The score of the first bin and the step to the next, for attributes; 1 when absent.
    package let first: Double?
    package let step: Double?

    package init(from decoder: any Decoder) throws {
      let container = try decoder.container(keyedBy: CodingKeys.self)
      list = try container.decodeIfPresent(String.self, forKey: .list)
      columns =
        list == nil
        ? try container.decode([String].self, forKey: .columns)
        : try container.decodeIfPresent([String].self, forKey: .columns) ?? []
      total = try container.decodeIfPresent(String.self, forKey: .total)
      first = try container.decodeIfPresent(Double.self, forKey: .first)
      step = try container.decodeIfPresent(Double.self, forKey: .step)
    }

    /// The columns of the counts themselves.
    var cells: [String] { columns + (list.map { [$0] } ?? []) }
    /// Every column that is read.
    var all: [String] { cells + (total.map { [$0] } ?? []) }
  }

  /// A column that says which part a picture is in.
  package struct PartColumn: Sendable, Codable, Equatable {
    package let column: String
    package let scheme: String
    /// The column's values and the parts they mean.
    package let values: [String: String]
  }

  /// Columns of a matrix: a MATLAB variable, or one of its cells counted from 0.
  package struct Matrix: Sendable, Codable, Equatable {
    package let variable: String
    package let cell: Int?
    package let columns: [String]
  }

  /// A scale that label files are known to use.
  package struct Range: Sendable, Codable, Equatable {
    package let low: Double
    package let high: Double
  }

  /// A copy of the labels in another form, never mixed with the original.
  package struct Variant: Sendable, Codable, Equatable {
    package let name: String
    package let description: String
    package let low: Double
    package let high: Double
    package let defaultScheme: String?
    /// The scale of its attributes.
    package let attributeRange: Range?

    enum CodingKeys: String, CodingKey {
      case name
      case description
      case low
      case high
      case defaultScheme = "default_scheme"
      case attributeRange = "attribute_range"
    }
  }

  /// What tells the split of published numbers from another one of the same name.
  package struct Benchmark: Sendable, Codable, Equatable {
    package let pictures: Int
    /// Over its image keys, or their base names, sorted by their bytes, each followed by LF.
    package let sha256: String?
    /// Of its labels.
    package let mean: Double
    /// The scale of its labels, where it is not always the dataset's.
    package let low: Double?
    package let high: Double?

    package init(
      pictures: Int, sha256: String?, mean: Double, low: Double? = nil, high: Double? = nil
    ) {
      self.pictures = pictures
      self.sha256 = sha256
      self.mean = mean
      self.low = low
      self.high = high
    }
  }

  /// A division by rule for datasets that publish none: the same pictures on every machine.
  package struct Seeded: Sendable, Codable, Equatable {
    package let scheme: String
    package let seed: Int
    /// The share of test pictures.
    package let test: Double
    /// An older place for the manifest's `group`.
    package let group: Names?
  }

  /// A division made from others.
  package struct Derived: Sendable, Codable, Equatable {
    package let name: String
    package let parts: [DerivedPart]
  }

  /// The pictures of a part or of a list, without those of another part.
  package struct DerivedPart: Sendable, Codable, Equatable {
    package let part: String
    /// `scheme/part`.
    package let from: String?
    package let list: String?
    /// `scheme/part`, or a part of the same division.
    package let without: String?
  }

  /// Test pictures are those rated by raters who rated between `low` and `high` pictures.
  package struct ByRaters: Sendable, Codable, Equatable {
    package let scheme: String
    package let low: Int
    package let high: Int
  }

  /// What is known about raters, one a line.
  package struct RaterTable: Sendable, Codable, Equatable {
    package let files: Names
    package let format: Format?
    package let key: String
  }

  /// A division of the raters by lists of their names.
  package struct RaterScheme: Sendable, Codable, Equatable {
    package let name: String
    package let parts: [RaterPart]
  }

  package struct RaterPart: Sendable, Codable, Equatable {
    package let part: String
    package let list: String
  }

  /// Pictures in the files that are not part of the dataset.
  package struct LeftOut: Sendable, Codable, Equatable {
    package let keys: [String]
    package let reason: String
  }
}
