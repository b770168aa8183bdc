package import GRDB
package import RocScore

/// A dataset's scale and conventions, as its manifest states them.
package struct DatasetRecord: Sendable, Hashable {
  package var id: Int64?
  package var name: String
  package var title: String
  package var range: ScoreRange
  /// Whether a larger score means a better picture.
  package var higherIsBetter: Bool
  /// A picture above it counts as good.
  package var threshold: Double
  package var bins: Bins?
  package var defaultScheme: String
  package var imageFolder: String?
  /// Whether pictures of the same base name show the same photo.
  package var namesArePhotos: Bool
  /// The copy that the labels are from, when it is not the original.
  package var variant: String?
  /// The text of the manifest that the labels were read with.
  package var manifest: String

  /// The variant of datasets that `roc-data demo` paints.
  package static let madeUp = "made up by roc-data demo"

  /// Whether pictures and votes are the demo's: numbers on them say nothing about the dataset whose
  /// layout they have.
  package var isMadeUp: Bool { variant == Self.madeUp }

  /// Marks the dataset as made up, wherever it is shown.
  package mutating func markAsMadeUp() {
    variant = Self.madeUp
    title = "\(title == name ? title : "\(title) demo") (made up)"
  }

  /// The bins of a vote histogram.
  package struct Bins: Sendable, Hashable {
    package let count: Int
    package let first: Double
    package let step: Double

    package init(count: Int, first: Double, step: Double) {
      self.count = count
      self.first = first
      self.step = step
    }
  }

  package init(
    name: String, title: String, range: ScoreRange, higherIsBetter: Bool, threshold: Double,
    bins: Bins?, defaultScheme: String, imageFolder: String? = nil, namesArePhotos: Bool = false,
    variant: String? = nil, manifest: String = ""
  ) {
    self.name = name
    self.title = title
    self.range = range
    self.higherIsBetter = higherIsBetter
    self.threshold = threshold
    self.bins = bins
    self.defaultScheme = defaultScheme
    self.imageFolder = imageFolder
    self.namesArePhotos = namesArePhotos
    self.variant = variant
    self.manifest = manifest
  }

  init(row: Row) {
    id = row["id"]
    name = row["name"]
    title = row["title"]
    range = ScoreRange(low: row["low"], high: row["high"])
    higherIsBetter = row["direction"] == "higher"
    threshold = row["threshold"]
    let count: Int? = row["bins"]
    bins = count.map { Bins(count: $0, first: row["bin_first"], step: row["bin_step"]) }
    defaultScheme = row["default_scheme"]
    imageFolder = row["image_folder"]
    namesArePhotos = row["names_are_photos"]
    variant = row["variant"]
    manifest = row["manifest"]
  }

  /// All datasets by name.
  package static func all(_ db: Database) throws -> [DatasetRecord] {
    try Row.fetchAll(db, sql: "SELECT * FROM datasets ORDER BY name").map(DatasetRecord.init)
  }

  package static func named(_ name: String, _ db: Database) throws -> DatasetRecord? {
    try Row.fetchOne(db, sql: "SELECT * FROM datasets WHERE name = ?", arguments: [name])
      .map(DatasetRecord.init)
  }

  /// How many pictures the dataset has.
  func imageCount(_ db: Database) throws -> Int {
    try Int.fetchOne(
      db, sql: "SELECT count(*) FROM samples WHERE dataset = ?", arguments: [id]) ?? 0
  }

  /// Inserts the dataset or brings its row up to date; keeps a known image folder.
  ///
  /// - Returns: The row's id.
  package func save(_ db: Database) throws -> Int64 {
    let stored = try DatasetRecord.named(name, db)
    var wanted = self
    wanted.id = stored?.id
    wanted.imageFolder = imageFolder ?? stored?.imageFolder
    if let stored, let id = stored.id, stored == wanted { return id }
    try db.execute(
      sql: """
        INSERT INTO datasets (name, title, low, high, direction, threshold, bins, bin_first,
          bin_step, default_scheme, image_folder, names_are_photos, variant, manifest)
        VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
        ON CONFLICT (name) DO UPDATE SET title = excluded.title, low = excluded.low,
          high = excluded.high, direction = excluded.direction, threshold = excluded.threshold,
          bins = excluded.bins, bin_first = excluded.bin_first, bin_step = excluded.bin_step,
          default_scheme = excluded.default_scheme, image_folder = excluded.image_folder,
          names_are_photos = excluded.names_are_photos, variant = excluded.variant,
          manifest = excluded.manifest
        """,
      arguments: [
        name, title, range.low, range.high, higherIsBetter ? "higher" : "lower", threshold,
        bins?.count, bins?.first, bins?.step, defaultScheme, wanted.imageFolder,
        namesArePhotos, variant, manifest,
      ])
    return try Int64.fetchOne(
      db, sql: "SELECT id FROM datasets WHERE name = ?", arguments: [name]) ?? 0
  }
}
