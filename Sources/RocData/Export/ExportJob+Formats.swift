import RocNames
import RocScore
import RocStore

/// What each format's file holds.
extension ExportJob {
  func blocks(
    _ samples: [SampleRecord], _ name: SplitName?, _ attributes: ExportedAttributes
  ) throws -> [[UInt8]] {
    let names = attributes.list.map(\.name)
    let blocks: [[UInt8]]
    switch request.format {
    case .roc:
      if let scale = request.scale {
        note("scores: \(record.range) mapped linearly to \(scale)")
      }
      for text in request.questions where !attributes.word.isNamed(in: text) {
        note(
          """
          Warning: the question "\(text)" does not speak of \(attributes.word.question), which the \
          answer gives; --word says what the score is called
          """)
      }
      for attribute in attributes.list {
        note(
          "\(attribute.word.answer): \(attribute.range) mapped linearly to \((request.scale ?? record.range))"
        )
      }
      let comments = try chosenComments(samples)
      let isRebinned =
        request.rebins || attributes.list.allSatisfy { $0.bins?.count == record.bins?.count }
      if let reason = attributes.reasonForNoTargets(request.tokens, request.rebins, record) {
        note("no target: \(reason)")
      }
      let lists = try importedLists()
      blocks =
        ConversationExport(
          dataset: record, word: attributes.word, questions: request.questions,
          attributes: attributes.list,
          values: attributes.values, comments: comments, lists: lists, scale: request.scale,
          tokens: isRebinned ? request.tokens ?? record.bins?.count : nil,
          hasTargets:
            attributes
            .reasonForNoTargets(request.tokens, request.rebins, record) == nil
        ).blocks(samples)
    case .qalign: blocks = [try levels(samples, name, .qalign)]
    case .deqa: blocks = [try levels(samples, name, .deqa(request.density))]
    case .csv:
      blocks = [
        TableExport.csv(
          samples, bins: record.bins?.count, attributes: names, values: attributes.values)
      ]
    case .jsonl:
      blocks = [
        TableExport.jsonLines(samples, attributes: names, values: attributes.values)
      ]
    }
    return blocks
  }

  /// Q-Align's or DeQA-Score's records; notes what the levels lose.
  private func levels(
    _ samples: [SampleRecord], _ name: SplitName?, _ form: LevelExport.Form
  ) throws -> [UInt8] {
    let all = try store.samples(record).samples.filter {
      LevelExport.takes($0, form: form, dataset: record)
    }
    let scores = LevelExport.scores(all, form: form, dataset: record)
    guard let low = scores.min(), let high = scores.max(), low < high || request.levelRange != nil
    else {
      throw JobError(.failed, "\(record.name): all scores are equal, so there are no levels")
    }
    let range = request.levelRange ?? ScoreRange(low: low, high: high)
    let deviations = try publishedDeviations()
    let word = ScoreWord(of: record)
    let task = request.levelTask ?? (word == ScoreWord("quality") ? .quality : .aesthetics)
    if !word.question.utf8.elementsEqual(task.rawValue.utf8), request.levelTask == nil {
      note(
        """
        Warning: \(record.name)'s score is called \(word.question), the questions and answers of \
        \(request.format.rawValue) ask about \(task.rawValue); --level-task chooses
        """)
    }
    let export = LevelExport(
      dataset: record, form: form, task: task, questions: request.questions, range: range,
      deviations: deviations, isUpstream: request.isUpstream)
    let (bytes, loss) = export.array(samples, isTest: name?.part == "test")
    note("levels: five equal intervals of \(range.low) to \(range.high)")
    if !record.higherIsBetter {
      note("levels: low scores of this dataset are the good ones; gt_score stays as it is")
    }
    if loss.outside > 0 {
      note("levels: \(loss.outside) pictures outside them got the nearest level")
    }
    if let srcc = loss.srcc, let plcc = loss.plcc {
      note(
        "levels: their correlation with gt_score is SRCC \(fixed(srcc, 4)), PLCC \(fixed(plcc, 4))")
    }
    if form != .qalign {
      note("soft labels: \(loss.binary) of \(samples.count) share two neighbouring levels")
      if loss.central > 0 {
        note(
          """
          soft labels: \(loss.central) at the middle of the scale \
          \(request.isUpstream ? "are 0.2 five times, as upstream" : "have the density itself, not upstream's 0.2 five times")
          """)
      }
    }
    return bytes
  }

  /// All scores of records that were imported with several, unless the command asks for others.
  private func importedLists() throws -> [Int64: [Double]] {
    guard request.questions.isEmpty, request.attributes.isEmpty, request.comment == nil else {
      return [:]
    }
    return try store.scoreLists(of: record)
  }

  /// The standard deviations of the ratings, where the dataset publishes them.
  private func publishedDeviations() throws -> [Int64: Double] {
    let manifest = try? Manifest(yaml: record.manifest, path: record.name)
    if let name = manifest?.variance {
      return try store.attributes([name], of: record).compactMapValues {
        $0[name].map { max($0, 0).squareRoot() }
      }
    }
    let names = [manifest?.deviation].compactMap { $0 } + ["std", "SD"]
    return try store.attributes(names, of: record).compactMapValues { values in
      names.lazy.compactMap { values[$0] }.first
    }
  }

  /// One comment per picture; those that would break the template are passed over.
  private func chosenComments(
    _ samples: [SampleRecord]
  ) throws -> [Int64: String] {
    guard let comment = request.comment else { return [:] }
    let sources = try store.commentSources(of: record)
    let list = sources.map { "\($0.source) (\($0.count))" }.joined(separator: ", ")
    guard let source = request.commentSource ?? sources.first?.source else {
      throw JobError(.missing, "\(record.name) has no comments")
    }
    guard sources.contains(where: { $0.source == source }) else {
      throw JobError(.usage, "\(record.name) has no comments from \(source); it has \(list)")
    }
    let all = try store.comments(of: record, source: source)
    var chosen: [Int64: String] = [:]
    for sample in samples { chosen[sample.id] = comment.choose(all[sample.id] ?? []) }
    note(
      "comments: \(chosen.count) of \(samples.count) pictures have one (\(source), \(comment.rawValue))"
    )
    return chosen
  }
}
