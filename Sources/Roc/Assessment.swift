import RocCheckpoint
import RocImage
import RocModel
import RocScore
import RocTensor

/// A loaded ROC4MLLM checkpoint that scores pictures.
///
///     let assessment = try Assessment(checkpoint: folder)
///     let answers = try assessment(pictures, decimals: 4)
///     for answer in answers { print(answer.score ?? "no score", answer.text) }
public struct Assessment: Sendable {
  private let engine: Engine

  /// How the arithmetic is carried out.
  public enum Precision: String, Sendable, CaseIterable {
    /// bf16 where the CPU multiplies it natively, else f32; a converted checkpoint keeps its own.
    case auto
    /// Float32 throughout: matches the reference.
    case f32
    /// Weights and inputs of products rounded to bfloat16: half the memory of f32.
    case bf16
    /// Weights and inputs of products in 8 bits: a quarter of the memory, the fastest, and the
    /// least exact; compare it on pictures of your own before you rely on it.
    case int8
  }

  /// What the model says about one picture.
  public struct Answer: Sendable, Equatable {
    /// The answer with its first `[SCORE]` replaced by the rounded score; empty after an error.
    public let text: String
    /// The first score on the model's own scale, unrounded; nil when there is none.
    public var score: Double? { scores.first }
    /// All scores in the order of the answer.
    public let scores: [Double]
    /// The predicted vote histogram of each score; each sums to 1.
    public let distributions: [[Double]]
    /// Why there is no score; nil when there is one.
    public let error: Failure?
  }

  /// Why one picture has no score.
  public struct Failure: Error, Sendable, Equatable, CustomStringConvertible {
    /// A word for programs: `missing`, `unreadable`, `empty`, `not_a_picture`, `truncated`,
    /// `undecodable`, `too_large`, `no_score` or `not_finite`.
    public let code: String
    /// A sentence for people that names the file.
    public let message: String

    /// The message.
    public var description: String { message }
  }

  /// Why a checkpoint cannot be used or a question cannot be asked.
  public struct Unusable: Error, Sendable, Equatable, CustomStringConvertible {
    /// A sentence for people that names the file or tensor.
    public let description: String
  }

  /// Loads a checkpoint folder.
  ///
  /// - Parameters:
  ///   - checkpoint: Path of a folder with config.json, weights, tokenizer and preprocessor files.
  ///   - precision: How to compute.
  ///   - threads: Threads to use; all cores when nil.
  /// - Throws: `Unusable` that names the file or tensor that is wrong.
  public init(
    checkpoint: String, precision: Precision = .auto, threads: Int? = nil
  ) throws(Unusable) {
    do throws(ModelError) {
      engine = try Engine(
        folder: checkpoint, threads: threads.map { min(max($0, 1), 256) },
        precision: RocTensor.Precision(rawValue: precision.rawValue))
    } catch {
      throw Unusable(description: error.description)
    }
  }

  /// Scores picture files in the order given.
  ///
  /// - Parameters:
  ///   - pictures: Paths of JPEG, PNG, WebP or BMP files.
  ///   - question: What to ask; the question that ROC4MLLM is trained with when nil.
  ///   - decimals: Digits of the score in the text, 0 to 17; scores themselves are not rounded.
  /// - Returns: One answer per picture; a picture that fails has an `error` and no score.
  /// - Throws: `Unusable` when the question does not fit the model.
  public func callAsFunction(
    _ pictures: [String], question: String? = nil, decimals: Int = 4
  ) throws(Unusable) -> [Answer] {
    var answers: [Answer] = []
    do {
      try engine.score(
        paths: pictures, mode: .scoreTokens(question: question ?? Engine.defaultQuestion),
        decimals: min(max(decimals, 0), 17)
      ) { _, outcome in
        answers.append(outcome.publicAnswer)
        return true
      }
    } catch {
      throw Unusable(description: "\(error)")
    }
    return answers
  }
}

extension ScoredPicture {
  fileprivate var publicAnswer: Assessment.Answer {
    Assessment.Answer(
      text: answer?.text ?? "", scores: answer?.scores ?? [],
      distributions: answer?.distributions ?? [],
      error: failure.map { Assessment.Failure(code: $0.code, message: $0.message) })
  }
}
