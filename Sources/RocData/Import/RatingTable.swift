import RocJSON
import RocNames
import RocStore
import RocTables

/// A table with one rating a line: summed up when it is read, stored line by line in the
/// transaction, so that a million ratings are never in memory at once.
struct RatingTable {
  private let reader: TableReader
  private let keys: KeyRule
  private let bins: Manifest.Votes?
  /// Whether ratings are on the scale of gt_score, so that their mean may stand for it.
  private let givesScores: Bool

  init(_ reader: TableReader, _ manifest: Manifest) {
    self.reader = reader
    keys = KeyRule(manifest)
    bins = manifest.votes
    givesScores =
      manifest.votes.map {
        $0.first == manifest.score.low
          && $0.first + Double($0.bins - 1) * $0.step == manifest.score.high
      } ?? true
  }

  /// Whether its means are gt_score where nothing else is.
  var givesLabels: Bool { reader.table.fills == true && givesScores }

  /// What the raters of one picture say together.
  private struct Sum {
    var total = 0.0
    var count = 0
    var votes: [Int]
    var attributes: [(total: Double, count: Int)]
  }

  private struct Rating {
    let key: ImageKey
    let rater: String
    let score: Double
  }

  /// Adds up all ratings; lines that cannot be read are set aside.
  func gather(into samples: inout TableSamples) {
    let table = reader.table
    let names = table.attributes ?? []
    var sums: [Int: Sum] = [:]
    var result = samples
    for line in reader.eachRow({ row in
      do throws(DataError) {
        let rating = try rating(row)
        let place = result.place(of: rating.key)
        guard table.fills == true else { return }
        let bin = try bin(of: rating.score)
        var sum =
          sums[place]
          ?? Sum(
            votes: Array(repeating: 0, count: bins?.bins ?? 0),
            attributes: names.map { _ in (0, 0) })
        sum.total += rating.score
        sum.count += 1
        if let bin { sum.votes[bin] += 1 }
        for (i, name) in names.enumerated() {
          guard let value = reader.field(row, name).flatMap(Double.init(decimal:)) else { continue }
          sum.attributes[i].total += value
          sum.attributes[i].count += 1
        }
        sums[place] = sum
      } catch {
        result.skip(reader.skipped(row, error.message))
      }
    }) { result.skip(line) }
    for (place, sum) in sums {
      result.fill(
        place, score: givesScores ? sum.total / Double(sum.count) : nil,
        votes: bins == nil ? nil : sum.votes,
        place: reader.name)
      for (name, part) in zip(names, sum.attributes) where part.count > 0 {
        result.fill(place, attribute: name, part.total / Double(part.count))
      }
    }
    samples = result
  }

  /// How many rows this file has, for the report.
  func rowCount() -> Int {
    var count = 0
    _ = reader.eachRow { _ in count += 1 }
    return count
  }

  /// Stores the ratings of pictures; those of pictures without a row wait for labels.
  ///
  /// - Parameters:
  ///   - writer: Where to.
  ///   - picture: A picture's name in the database and its row; nil for one that was left out.
  /// - Throws: The database's errors.
  func write(
    _ writer: DatasetWriter, picture: (ImageKey) -> (key: ImageKey, row: Int64?)?
  ) throws {
    var waiting: [ExactText: Int] = [:]
    var raters: [ExactText: Int64] = [:]
    var given: [Pair: Int] = [:]
    var failure: (any Error)?
    _ = reader.eachRow { row in
      guard failure == nil, let rating = try? rating(row) else { return }
      guard let (key, sample) = picture(rating.key) else { return }
      do {
        guard let sample else {
          let pair = ExactText("\(rating.rater)\n\(key)")
          let position = waiting[pair] ?? 0
          waiting[pair] = position + 1
          try writer.wait(
            WaitingRating(
              rater: rating.rater, position: position, score: rating.score, extra: extra(row)
            ).fact(of: key))
          return
        }
        let rater = try raters[rating.rater] ?? writer.rater(rating.rater, extra: nil)
        raters[rating.rater] = rater
        let pair = Pair(sample: sample, rater: rater)
        let position = given[pair] ?? 0
        given[pair] = position + 1
        try writer.setRating(
          sample, rater: rater, position: position, score: rating.score, extra: extra(row))
      } catch {
        failure = error
      }
    }
    if let failure { throw failure }
  }

  private struct Pair: Hashable {
    let sample: Int64
    let rater: Int64
  }

  private func rating(_ row: TableRow) throws(DataError) -> Rating {
    let table = reader.table
    let rater = try keys.rater(row, reader, table.rater ?? "")
    let key = try keys.key(row, reader)
    let column = reader.score?.all.first ?? table.score?.all.first ?? "score"
    let score = try TableSamples.number(row, reader, column)
    if table.fills == true { _ = try bin(of: score) }
    return Rating(key: key, rater: rater, score: score)
  }

  private func bin(of score: Double) throws(DataError) -> Int? {
    guard let bins else { return nil }
    let place = (score - bins.first) / bins.step
    guard place.rounded() >= 0, Int(exactly: place.rounded()) ?? bins.bins < bins.bins,
      abs(place - place.rounded()) < 1e-6
    else {
      let last = bins.first + Double(bins.bins - 1) * bins.step
      throw DataError("score \(score), expected \(bins.first) to \(last) in steps of \(bins.step)")
    }
    return Int(place.rounded())
  }

  /// The other columns as a JSON object.
  private func extra(_ row: TableRow) -> String? {
    let table = reader.table
    let used = Set(
      names: (table.key?.all ?? []) + (table.score?.all ?? []) + [table.rater ?? ""])
    let members = reader.header.filter { !used.contains($0) }.map {
      JSON.Member($0, .string(reader.field(row, $0) ?? ""))
    }
    return members.isEmpty ? nil : JSON.object(members).line
  }
}
