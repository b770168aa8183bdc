package import RocData
package import RocJSON
import RocMetrics
import RocNames
package import RocStore

/// What is known of a run besides the metrics of its scores: themes and comments.
package struct RunDetails: Sendable {
  /// What each picture is of.
  package let pictures: Themes
  package let themes: ThemeMetrics?
  package let comments: CommentMetrics?

  package init(_ store: Store, _ stored: StoredRun) throws {
    pictures = try Themes(store, stored.dataset, samples: stored.lines.map(\.sample))
    themes = ThemeMetrics(stored, pictures)
    comments = try CommentMetrics.of(stored, in: store)
  }
}

/// SRCC and PLCC within each theme, and their means over the themes, by which TAD66K is compared.
package struct ThemeMetrics: Sendable {
  package struct Theme: Sendable {
    package let name: String
    package let count: Int
    package let srcc: Double?
    package let plcc: Double?
    package let mae: Double?
  }

  /// By name.
  package let each: [Theme]

  /// - Returns: nil where no picture has a theme.
  init?(_ stored: StoredRun, _ themes: Themes) {
    guard !themes.isEmpty else { return nil }
    var byName: [ExactText: ScoredPairs] = [:]
    for line in stored.lines {
      guard let score = line.scores.first else { continue }
      for theme in themes[line.sample.id] {
        byName[theme, default: ScoredPairs()].predicted.append(score)
        byName[theme, default: ScoredPairs()].truth.append(line.sample.score)
      }
    }
    each = byName.sorted { $0.key < $1.key }.map { name, pairs in
      let metrics = Metrics(pairs, threshold: stored.dataset.threshold)
      return Theme(
        name: name.text, count: pairs.count, srcc: metrics["srcc"]?.value,
        plcc: metrics["plcc"]?.value, mae: metrics["mae"]?.value)
    }
    if each.isEmpty { return nil }
  }

  /// The mean over the themes that have a value, each theme counting the same.
  package func average(_ metric: KeyPath<Theme, Double?>) -> Double? {
    let values = each.compactMap { $0[keyPath: metric] }
    return values.isEmpty ? nil : mean(values)
  }

  /// How many themes the means are over.
  package var averaged: Int { each.filter { $0.srcc != nil }.count }

  package var json: JSON {
    [
      "n": .int(each.count), "n_averaged": .int(averaged), "mean_srcc": JSON(average(\.srcc)),
      "mean_plcc": JSON(average(\.plcc)),
      "each": .object(
        each.map { theme in
          JSON.Member(
            theme.name,
            [
              "n": .int(theme.count), "srcc": JSON(theme.srcc), "plcc": JSON(theme.plcc),
              "mae": JSON(theme.mae),
            ])
        }),
    ]
  }
}

/// How well the comments of answers agree with those that people wrote.
package struct CommentMetrics: Sendable {
  /// CIDEr-D over the pictures.
  package let cider: Double
  package let count: Int
  /// Answers without a comment, which count as 0.
  package let withoutComment: Int
  /// The file of people's comments.
  package let source: String

  /// - Returns: nil where the dataset has no comments or no answer has one.
  package static func of(_ stored: StoredRun, in store: Store) throws -> CommentMetrics? {
    let candidates = stored.lines.map {
      (sample: $0.sample.id, text: comment(of: $0.text ?? ""))
    }
    // Most runs write none, and a dataset may have a million comments to read.
    guard candidates.contains(where: { !$0.text.isEmpty }),
      let source = try store.commentSources(of: stored.dataset).first?.source
    else { return nil }
    let written = try store.comments(of: stored.dataset, source: source)
    let images = candidates.compactMap { item in
      written[item.sample].map { (candidate: item.text, references: $0) }
    }
    let withoutComment = images.filter { $0.candidate.isEmpty }.count
    guard withoutComment < images.count, let found = CIDEr.scores(images) else { return nil }
    return CommentMetrics(
      cider: found.mean, count: images.count, withoutComment: withoutComment, source: source)
  }

  /// What an answer says after its first sentence, the one with the scores.
  package static func comment(of answer: String) -> String {
    let letters = Array(answer)
    let end = letters.indices.first { place in
      letters[place] == "." && (place + 1 == letters.count || letters[place + 1].isWhitespace)
    }
    guard let end else { return "" }
    let rest = letters[(end + 1)...].drop { $0.isWhitespace }
    return String(rest.reversed().drop { $0.isWhitespace }.reversed())
  }

  package var json: JSON {
    [
      "cider": .double(cider), "n": .int(count), "without_comment": .int(withoutComment),
      "source": .string(source),
    ]
  }
}
