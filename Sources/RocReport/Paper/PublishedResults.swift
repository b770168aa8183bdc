/// A number of the paper's tables as it is printed there.
package struct PublishedResult: Sendable, Equatable {
  package let table: Int
  package let method: String
  package let venue: String
  package let year: Int
  package let dataset: String
  /// SRCC, PLCC, MAE, CIDEr or SPICE.
  package let metric: String
  package let value: Double
  /// Of table 4.
  package let attribute: String?
  /// Of table 5: the base model's block and what was trained.
  package let block: String?
  package let task: String?
}

/// The results of Ma et al., Regression Over Classification (AAAI 2026), tables 1 to 6.
package enum PublishedResults {
  /// All 372 numbers in the order of the tables.
  package static let all: [PublishedResult] = {
    let text = String(decoding: PackageResources.roc4mllm_tsv, as: UTF8.self)
    return text.split(separator: "\n").dropFirst().compactMap { line in
      PublishedResult(
        line.split(separator: "\t", omittingEmptySubsequences: false).map(String.init))
    }
  }()

  package static func table(_ number: Int) -> [PublishedResult] {
    all.filter { $0.table == number }
  }

  /// The methods of a table in its order, each with where it was published.
  package static func methods(_ number: Int) -> [(name: String, venue: String)] {
    var result: [(name: String, venue: String)] = []
    for item in table(number) where !result.contains(where: { $0.name == item.method }) {
      result.append((item.method, "\(item.venue) \(item.year)"))
    }
    return result
  }
}

extension PublishedResult {
  /// The columns of `Published/roc4mllm.tsv`.
  fileprivate init?(_ fields: [String]) {
    guard fields.count == 10, let table = Int(fields[0]), let year = Int(fields[3]),
      let value = Double(fields[6])
    else { return nil }
    func text(_ place: Int) -> String? { fields[place].isEmpty ? nil : fields[place] }
    self.init(
      table: table, method: fields[1], venue: fields[2], year: year, dataset: fields[4],
      metric: fields[5], value: value, attribute: text(7), block: text(8), task: text(9))
  }
}
