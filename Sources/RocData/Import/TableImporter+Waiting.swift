import RocJSON
import RocNames
import RocStore

/// Facts about pictures whose labels come with another source.
extension TableImporter {
  /// Keeps what this source says of a picture without a score.
  func wait(
    _ entry: TableSamples.Entry, parts: [String], _ writer: DatasetWriter
  ) throws {
    let key = key(entry)
    func keep(_ kind: DatasetWriter.Waiting.Kind, _ name: String, _ value: JSON) throws {
      try writer.wait(.init(key: key, kind: kind, name: name, value: value.line))
    }
    for (name, value) in entry.attributes { try keep(.attribute, name, .double(value)) }
    for (name, counts) in entry.attributeVotes {
      try keep(.attributeVotes, name, .array(counts.map(JSON.int)))
    }
    if let votes = entry.votes { try keep(.votes, "", .array(votes.map(JSON.int))) }
    for member in entry.extra { try keep(.extra, member.name, member.value) }
    for part in parts { try keep(.part, part, true) }
  }

  /// Adds to the pictures of this source what earlier ones said of them.
  static func adopt(
    _ waiting: [ImageKey: [DatasetWriter.Waiting]], _ samples: inout TableSamples,
    key: (TableSamples.Entry) -> ImageKey
  ) {
    for (place, entry) in samples.entries.enumerated() where entry.score != nil {
      for fact in waiting[key(entry)] ?? [] {
        guard let value = try? JSON.parse(fact.value) else { continue }
        let counts = value.array?.compactMap(\.int)
        switch fact.kind {
        case .attribute:
          if let number = value.double { samples.fill(place, attribute: fact.name, number) }
        case .attributeVotes: samples.fill(place, attributeVotes: fact.name, counts ?? [])
        case .votes: samples.fill(place, score: nil, votes: counts, place: "")
        case .extra: samples.fill(place, extra: .init(fact.name, value))
        case .part: samples.join(fact.name, place)
        case .rating: break
        }
      }
    }
  }

  /// Stores ratings that came before the labels.
  func writeRatings(
    _ waiting: [ImageKey: [DatasetWriter.Waiting]], _ writer: DatasetWriter, _ ids: [Int: Int64]
  ) throws {
    for (place, entry) in samples.entries.enumerated() {
      guard entry.score != nil, let row = ids[place] else { continue }
      for fact in waiting[key(entry)] ?? [] where fact.kind == .rating {
        let rating = WaitingRating(fact)
        let rater = try writer.rater(rating.rater, extra: nil)
        try writer.setRating(
          row, rater: rater, position: rating.position, score: rating.score, extra: rating.extra)
      }
    }
  }
}

/// A rating of a picture without labels.
struct WaitingRating {
  let rater: String
  /// Counts the ratings of one rater for one picture.
  let position: Int
  let score: Double
  let extra: String?

  init(rater: String, position: Int, score: Double, extra: String?) {
    self.rater = rater
    self.position = position
    self.score = score
    self.extra = extra
  }

  init(_ fact: DatasetWriter.Waiting) {
    let bytes = fact.name.utf8
    let mark = bytes.firstIndex(of: 0x20) ?? bytes.endIndex
    position = Int(fact.name[..<mark]) ?? 0
    rater = String(Substring(bytes[mark...].dropFirst()))
    let value = try? JSON.parse(fact.value)
    score = value?["score"]?.double ?? 0
    extra = value?["extra"]?.string
  }

  func fact(of key: ImageKey) -> DatasetWriter.Waiting {
    let value: JSON = ["score": .double(score), "extra": extra.map(JSON.string) ?? .null]
    return .init(key: key, kind: .rating, name: "\(position) \(rater)", value: value.line)
  }
}
