import RocJSON

/// Whose records a file holds.
package enum RecordFormat: String, Sendable, CaseIterable {
  /// ROC4MLLM: `[SCORE]` and target.
  case roc
  /// Q-Align: levels in words.
  case qalign
  /// DeQA-Score: levels with probabilities.
  case deqa

  /// Told by the first record that shows it; a file that shows nothing is ROC's.
  package static func of(_ bytes: UnsafeRawBufferPointer) -> RecordFormat {
    var reader = JSONRecords(bytes, readsNonFinite: true)
    for _ in 0..<50 {
      guard let record = (try? reader.next()) ?? nil else { break }
      if record["level_probs"] != nil || record["gt_score_norm"] != nil { return .deqa }
      if record["img_path"] != nil { return .qalign }
      if record["target"] != nil { return .roc }
      guard let turns = record["conversations"]?.array else {
        if record["gt_score"] != nil, record["image"] != nil { return .qalign }
        continue
      }
      let answers = turns.compactMap { $0["from"]?.string == "gpt" ? $0["value"]?.string : nil }
      if answers.contains(where: { $0.occurrences(of: ConversationExport.scoreToken) > 0 }) {
        return .roc
      }
      if answers.contains(where: { LevelRecord.level($0) != nil }) { return .qalign }
    }
    return .roc
  }
}
