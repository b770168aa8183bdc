import RocJSON
package import RocNames
package import RocStore

/// Writes samples as rows of plain values.
package enum TableExport {
  /// `image,gt_score[,v1…vN]` with a header.
  package static func csv(
    _ samples: [SampleRecord], bins: Int?, attributes: [String] = [],
    values: [Int64: [ExactText: Double]] = [:]
  ) -> [UInt8] {
    let names = (1...max(bins ?? 1, 1)).map { "v\($0)" }
    let header = ["image", "gt_score"] + (bins == nil ? [] : names) + attributes.map(Escaped.csv)
    var bytes = Array((header.joined(separator: ",") + "\n").utf8)
    for sample in samples {
      bytes.append(contentsOf: Escaped.csv(sample.key.text).utf8)
      bytes.append(UInt8(ascii: ","))
      bytes.append(contentsOf: sample.score.description.utf8)
      for bin in 0..<(bins ?? 0) {
        bytes.append(UInt8(ascii: ","))
        // A picture without votes among others that have some: no votes are not zero votes.
        if let votes = sample.votes { bytes.append(contentsOf: String(votes[bin]).utf8) }
      }
      for name in attributes {
        bytes.append(UInt8(ascii: ","))
        if let value = values[sample.id]?[name] { bytes.append(contentsOf: value.description.utf8) }
      }
      bytes.append(0x0A)
    }
    return bytes
  }

  /// One object a line: `image`, `gt_score`, `votes`, and `attributes` when some are asked for.
  package static func jsonLines(
    _ samples: [SampleRecord], attributes: [String] = [], values: [Int64: [ExactText: Double]] = [:]
  ) -> [UInt8] {
    var bytes: [UInt8] = []
    for sample in samples {
      var record: [JSON.Member] = [
        .init("image", .string(sample.key.text)), .init("gt_score", .double(sample.score)),
        .init("votes", sample.votes.map { .array($0.map(JSON.int)) } ?? .null),
      ]
      if !attributes.isEmpty {
        let members = attributes.map { JSON.Member($0, JSON(values[sample.id]?[$0])) }
        record.append(.init("attributes", .object(members)))
      }
      JSON.object(record).write(into: &bytes)
      bytes.append(0x0A)
    }
    return bytes
  }
}
