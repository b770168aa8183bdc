import RocDigest
import RocImage
package import RocModel
import RocTensor

/// What decides scores: answers with the same identity may stand side by side.
package struct RunIdentity {
  package let sha256: String
  package let question: String
  package let preprocessing: String
  package let precision: String

  /// - Parameters:
  ///   - engine: Loaded.
  ///   - mode: What is asked.
  ///   - sha256: The checkpoint's.
  package init(_ engine: Engine, _ mode: ScoringMode, sha256: String) {
    self.sha256 = sha256
    question =
      switch mode {
      case .levels(let levels): levels.summary
      case .scoreTokens(let question): question
      }
    preprocessing = engine.parts.preprocessing.summary
    precision = engine.precision.rawValue
  }

  /// The SHA-256 of everything that decides scores, and of `more`.
  package func fingerprint(_ more: [String] = []) -> String {
    let decisive = [sha256, question, preprocessing, precision, Engine.version] + more
    return SHA256.of(decisive.joined(separator: "\n"))
  }
}
