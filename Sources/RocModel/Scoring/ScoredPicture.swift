package import RocFiles

/// The outcome of scoring one picture: an answer, or why there is none.
package struct ScoredPicture: Sendable {
  /// Why a picture has no score: `code` for programs, `message` for people.
  package struct Failure: Sendable, Equatable {
    package let code: String
    package let message: String
  }

  /// Nil when the picture could not be read; without scores when the model gave none.
  package let answer: Answer?
  package let failure: Failure?
  /// Wall time from taking the prepared picture to its answer.
  package let milliseconds: Double
  /// The file just before it was read; nil when it is not there.
  package let file: FileFacts?
}
