import RocImage

extension Engine {
  /// Scores picture files in the order given; the next ones are read meanwhile.
  ///
  /// - Parameters:
  ///   - paths: JPEG, PNG, WebP or BMP files.
  ///   - mode: What is asked about each picture, and how the score is read.
  ///   - decimals: Digits of the score in the texts.
  ///   - ahead: Pictures that are read ahead; scores do not depend on it.
  ///   - body: Gets each outcome as soon as it is available; false stops.
  /// - Throws: `ModelError.request` when this question cannot be asked about any picture; what
  ///   `body` throws.
  package func score(
    paths: [String], mode: ScoringMode = .scoreTokens(question: Engine.defaultQuestion),
    decimals: Int = 4, ahead: Int = 4,
    body: (Int, ScoredPicture) throws -> Bool
  ) throws {
    let pipeline = PicturePipeline(
      paths: paths, preprocessing: parts.preprocessing, ahead: ahead)
    for index in paths.indices {
      let outcome = try score(pipeline.take(index), mode: mode, decimals: decimals)
      guard try body(index, outcome) else { return }
    }
  }

  /// Scores one picture that has been read, from a file or from memory.
  ///
  /// - Parameters:
  ///   - picture: Prepared for this engine.
  ///   - mode: What is asked, and how the score is read.
  ///   - decimals: Digits of the score in the text.
  /// - Returns: The answer, or why there is none.
  /// - Throws: `ModelError.request` when no picture could be asked this question, `.machine` when
  ///   nothing is known about the picture.
  package func score(
    _ picture: PreparedPicture, mode: ScoringMode, decimals: Int
  ) throws(ModelError) -> ScoredPicture {
    let clock = ContinuousClock()
    let start = clock.now
    let (answer, failure) = try outcome(picture.name, mode, decimals, picture.pixels)
    return ScoredPicture(
      answer: answer, failure: failure, milliseconds: (clock.now - start) / .milliseconds(1),
      file: picture.file)
  }

  private func outcome(
    _ path: String, _ mode: ScoringMode, _ decimals: Int, _ pixels: Result<Pixels, PictureError>
  ) throws(ModelError) -> (Answer?, ScoredPicture.Failure?) {
    let prepared: Pixels
    do throws(PictureError) {
      prepared = try pixels.get()
    } catch {
      guard error.code != .machine else { throw .machine(error.description) }
      return (nil, .init(code: error.code.rawValue, message: error.description))
    }
    let answer: Answer
    do throws(ModelError) {
      switch mode {
      case .scoreTokens(let question):
        answer = try self.answer(
          prepared, AnswerRequest(question: question, decimals: decimals))
      case .levels(let levels): answer = try self.answer(prepared, levels: levels)
      }
    } catch .picture(let reason) {
      return (
        nil, .init(code: PictureError.Code.tooLarge.rawValue, message: "\(path): \(reason)")
      )
    }
    guard answer.isFinite, answer.scores.allSatisfy(\.isFinite) else {
      return (
        nil,
        .init(
          code: "not_finite",
          message: "\(path): the model's output is not a number; check the weights")
      )
    }
    if answer.scores.isEmpty {
      return (
        answer,
        .init(code: "no_score", message: "\(path): the answer holds no [SCORE]: \(answer.text)")
      )
    }
    return (answer, nil)
  }
}
