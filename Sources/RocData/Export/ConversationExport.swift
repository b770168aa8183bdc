import RocJSON
import RocScore
package import RocStore

/// Writes samples as mPLUG-Owl2 conversations with `gt_score` and `target`.
///
/// No newline stands after the picture mark (training adds it), and the blank at the end of the
/// answer stays: it is part of what the model is trained to say.
package struct ConversationExport: Sendable {
  package static let mark = "<|image|>"
  package static let scoreToken = "[SCORE]"
  package static let question = "Please rate the aesthetics of the image."
  package static let answer = "The aesthetic rate of the image is [SCORE]. "

  private let bins: DatasetRecord.Bins?
  private let questions: [String]

  /// - Parameters:
  ///   - dataset: Says which bins votes have.
  ///   - questions: Taken in turn; the trained one when empty.
  package init(dataset: DatasetRecord, questions: [String]) {
    bins = dataset.bins
    self.questions = questions.isEmpty ? [Self.question] : questions
  }

  /// A JSON array, one record a line.
  package func array(_ samples: [SampleRecord]) -> [UInt8] {
    var bytes: [UInt8] = Array("[".utf8)
    for (i, sample) in samples.enumerated() {
      bytes.append(contentsOf: (i == 0 ? "\n" : ",\n").utf8)
      write(sample, index: i, into: &bytes)
    }
    bytes.append(contentsOf: "\n]\n".utf8)
    return bytes
  }

  /// Appends one record; `target` is left out where there are no votes.
  private func write(_ sample: SampleRecord, index: Int, into bytes: inout [UInt8]) {
    bytes.append(contentsOf: "{\"image\": ".utf8)
    JSON.write(sample.key, into: &bytes)
    bytes.append(contentsOf: ", \"gt_score\": \(sample.score)".utf8)
    bytes.append(contentsOf: ", \"conversations\": [{\"from\": \"human\", \"value\": ".utf8)
    JSON.write(Self.mark + questions[index % questions.count], into: &bytes)
    bytes.append(contentsOf: "}, {\"from\": \"gpt\", \"value\": ".utf8)
    JSON.write(Self.answer, into: &bytes)
    bytes.append(contentsOf: "}]".utf8)
    if let bins, let votes = sample.votes,
      let target = VoteHistogram(counts: votes, first: bins.first, step: bins.step).distribution
    {
      bytes.append(contentsOf: ", \"target\": ".utf8)
      JSON(target).write(into: &bytes)
    }
    bytes.append(UInt8(ascii: "}"))
  }
}

/// Writes samples as rows of plain values.
package enum TableExport {
  /// `image,gt_score[,v1…vN]` with a header.
  package static func csv(_ samples: [SampleRecord], bins: Int?) -> [UInt8] {
    let names = (1...max(bins ?? 1, 1)).map { "v\($0)" }
    var text = (["image", "gt_score"] + (bins == nil ? [] : names)).joined(separator: ",") + "\n"
    for sample in samples {
      let votes = bins == nil ? [] : (sample.votes ?? []).map(String.init)
      text +=
        ([quoted(sample.key), sample.score.description] + votes).joined(separator: ",") + "\n"
    }
    return Array(text.utf8)
  }

  /// One object a line: `image`, `gt_score`, `votes`.
  package static func jsonLines(_ samples: [SampleRecord]) -> [UInt8] {
    var bytes: [UInt8] = []
    for sample in samples {
      let record: JSON = [
        "image": .string(sample.key), "gt_score": .double(sample.score),
        "votes": sample.votes.map { .array($0.map(JSON.int)) } ?? .null,
      ]
      record.write(into: &bytes)
      bytes.append(0x0A)
    }
    return bytes
  }

  /// A CSV field, in quotes where it must be (RFC 4180).
  package static func quoted(_ field: String) -> String {
    guard field.utf8.contains(where: { [0x22, 0x2C, 0x0A, 0x0D].contains($0) }) else {
      return field
    }
    return "\""
      + field.split(separator: "\"", omittingEmptySubsequences: false)
      .joined(separator: "\"\"") + "\""
  }
}
