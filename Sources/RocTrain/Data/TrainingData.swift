package import RocData
import RocFiles
import RocJSON
package import RocModel
import RocNames
import RocScore
package import RocTokenizer

/// The samples of a training run, all of them checked.
package struct TrainingData: Sendable {
  package let samples: [EncodedSample]
  /// What is odd but does no harm.
  package let warnings: [Finding]

  /// What the records of a training run must comply with.
  package struct Rules: Sendable {
    package let tokenizer: any Tokenizer
    package let readout: ScoreReadout
    package let weights: LossWeights
    /// The most tokens of a conversation, its picture counted as one.
    package let maxLength: Int
    /// Rows that a picture takes at least, and the most rows of a sequence.
    package let pictureRows: Int
    package let maxRows: Int
    /// How conversations are spelled.
    package let template: any PromptTemplate

    /// - Parameters:
    ///   - model: The model.
    ///   - readout: Its score tokens, on the scale of the training.
    ///   - weights: Say whether targets are needed.
    ///   - maxLength: The most tokens of a conversation.
    package init(
      model: ModelLoader, readout: ScoreReadout, weights: LossWeights, maxLength: Int
    ) {
      pictureRows = model.sizes.pictureRows
      maxRows = model.sizes.maxPositions
      template = model.backbone.template
      tokenizer = model.tokenizer
      self.readout = readout
      self.weights = weights
      self.maxLength = maxLength
    }
  }

  /// Reads and checks the records of a conversation file: everything that `roc-data validate`
  /// calls an error, and that each conversation teaches as many `[SCORE]` as it has scores.
  ///
  /// - Parameters:
  ///   - bytes: A JSON array or JSON Lines.
  ///   - source: Their name in messages.
  ///   - rules: What the records have to be.
  ///   - pictures: Every one of them is decoded; nil leaves them unchecked.
  /// - Throws: `TrainingDataError` with every finding.
  package init(
    _ bytes: UnsafeRawBufferPointer, from source: String, rules: Rules, pictures: PictureStore?
  ) throws(TrainingDataError) {
    let range = ScoreRange(low: rules.readout.axis.low, high: rules.readout.axis.high)
    let reasons = pictures.map { Self.reasons(bytes, $0) } ?? [:]
    var lint = ConversationLint(tokens: rules.readout.tokens, range: range) { reasons[$0] }
    lint.needsTarget = rules.weights.needTarget
    lint.check(file: bytes)
    var errors = lint.errors
    var warnings = lint.warnings
    var samples: [EncodedSample] = []
    let bad = Set(lint.errors.map(\.record))
    // Exported conversations differ only in their scores. The keys are bytes: Swift's strings are
    // equal even where their accents are composed differently, but their tokens are not.
    var texts: [[UInt8]: TrainingText] = [:]
    for (number, json) in Self.records(bytes) where !bad.contains(number) {
      do throws(TrainingRecordError) {
        let record = try TrainingRecord(json, number: number, tokens: rules.readout.tokens)
        let key = record.turns.flatMap { Array("\($0.role.rawValue)\0\($0.text)\0".utf8) }
        let text =
          texts[key]
          ?? TrainingText(
            turns: record.turns, hasPicture: true, template: rules.template,
            tokenizer: rules.tokenizer,
            maxLength: rules.maxLength)
        texts[key] = text
        let found = Self.check(
          record, text, rules, pictureRows: record.image.flatMap { pictures?.rows($0) })
        if text.isTruncated, found.isEmpty {
          warnings.append(
            Finding(
              record: number, field: "conversations",
              message: "is longer than --model-max-length \(rules.maxLength) and was cut"))
        }
        errors += found
        if found.isEmpty {
          samples.append(EncodedSample(record, text: text, tokens: rules.readout.tokens))
        }
      } catch {
        errors.append(
          Finding(record: error.record, field: error.field, message: error.message))
      }
    }
    guard errors.isEmpty else {
      throw TrainingDataError(
        source: source, findings: errors.sorted { $0.record < $1.record }, records: lint.records)
    }
    self.samples = samples
    self.warnings = warnings
  }

  /// What training could not use in a record that passed the lint.
  private static func check(
    _ record: TrainingRecord, _ text: TrainingText, _ rules: Rules, pictureRows: Int?
  ) -> [Finding] {
    func finding(_ field: String, _ message: String) -> Finding {
      Finding(record: record.number, field: field, message: message)
    }
    if text.isMismatched {
      return [
        finding(
          "conversations",
          """
          teaches nothing: its tokens do not add up, so none of them can be told to be an answer's; \
          see docs/training.md
          """)
      ]
    }
    let scores = text.positions(teaching: rules.readout.scoreID).count
    guard scores == record.scores.count else {
      return [
        finding(
          "conversations",
          """
          \(scores) [SCORE] are taught for \(record.scores.count) scores\
          \(text.isTruncated ? "; the text was cut at \(rules.maxLength) tokens" : "")
          """)
      ]
    }
    guard text.picturePositions.count == 1 else {
      return [
        finding("conversations", "\(text.picturePositions.count) pictures, expected exactly 1")
      ]
    }
    let rows = text.ids.count - 1 + (pictureRows ?? rules.pictureRows)
    guard rows <= rules.maxRows else {
      let advice =
        pictureRows == nil ? "" : ", or --max-pixels for its \(pictureRows ?? 0) rows of picture"
      return [
        finding(
          "conversations",
          """
          takes \(rows) rows with its picture, more than the model's max_position_embeddings of \
          \(rules.maxRows); shorten it, or lower --model-max-length\(advice)
          """)
      ]
    }
    return []
  }

  private static func records(
    _ bytes: UnsafeRawBufferPointer
  ) -> [(number: Int, json: JSON)] {
    var reader = JSONRecords(bytes, readsNonFinite: true)
    var records: [(number: Int, json: JSON)] = []
    var number = 0
    while true {
      number += 1
      do throws(JSONError) {
        guard let record = try reader.next() else { return records }
        records.append((number, record))
      } catch {
        guard reader.skipRecord() else { return records }
      }
    }
  }

  /// The pictures that cannot be used, with the reason: all are decoded, on all cores.
  private static func reasons(
    _ bytes: UnsafeRawBufferPointer, _ pictures: PictureStore
  ) -> [ImageKey: String] {
    let names = Set(
      records(bytes).compactMap { $0.json["image"]?.string.map(ImageKey.init) }
    ).sorted()
    let found = Parallel.map(names, jobs: coreCount()) { name in
      (name: name, reason: pictures.reason(name))
    }
    return Dictionary(
      found.compactMap { item in item.reason.map { (item.name, $0) } },
      uniquingKeysWith: { first, _ in first })
  }
}

/// Records that cannot be trained on; nothing was trained.
package struct TrainingDataError: Error, Sendable {
  /// The file, or the dataset and split.
  package let source: String
  package let findings: [Finding]
  package let records: Int
}
