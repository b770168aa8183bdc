import RocImage
import RocTensor

/// Times the parts of a loaded model on noise, for which the arithmetic is the same as for
/// pictures.
package struct EngineBenchmark {
  /// One part.
  package struct Row: Sendable {
    package let name: String
    /// Seconds of each round.
    package let seconds: [Double]
    /// Floating-point operations of one round; 0 where none are counted.
    package let operations: Double
    /// Bytes of weights that one round reads at least once; 0 where it is not the limit.
    package let bytes: Double

    package var mean: Double { seconds.reduce(0, +) / Double(seconds.count) }

    /// Standard deviation of the rounds.
    package var deviation: Double {
      guard seconds.count > 1 else { return 0 }
      let mean = mean
      let squares = seconds.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
      return (squares / Double(seconds.count - 1)).squareRoot()
    }
  }

  private let engine: Engine
  private let rounds: Int

  /// - Parameters:
  ///   - engine: The model.
  ///   - rounds: Timed rounds after one that warms up.
  package init(_ engine: Engine, rounds: Int) {
    self.engine = engine
    self.rounds = rounds
  }

  /// Measures reading the picture, vision and a layer of it, the connector, a language layer,
  /// prefill, one decoding step and the whole picture, in this order.
  ///
  /// - Parameters:
  ///   - path: A file to read and prepare; none when nil.
  ///   - body: Gets each part as soon as it is measured.
  /// - Throws: `ModelError` for a model that cannot be asked the default question, and for a
  ///   picture that cannot be read.
  package func run(picture path: String? = nil, _ body: (Row) -> Void) throws(ModelError) {
    let parts = engine.parts
    if let path {
      do throws(PictureError) {
        // Once outside the clock, so that a broken file is an error.
        _ = try parts.preprocessing(try Picture.read(path), path: path)
      } catch {
        throw .request(error.description)
      }
      body(
        row("reading and preparing a picture", 0) {
          _ = try? parts.preprocessing(try Picture.read(path), path: path)
        })
    }
    let size = parts.preprocessing.usualSize
    let noise = Noise(seed: 1, name: "pixels", deviation: 1)
    let pixels = Pixels(
      height: size.height, width: size.width,
      values: noise.values(from: 0, count: 3 * size.height * size.width, engine.compute))
    body(
      row("vision", parts.vision.operations(pixels)) {
        _ = parts.vision.encode([pixels], trace: nil)
      })
    let features = parts.vision.encode([pixels], trace: nil)
    body(
      row("a vision layer", parts.vision.layerOperations(pixels)) {
        _ = parts.vision.firstLayer(features)
      })
    body(
      row(parts.names.connector, parts.connector.operations(features)) {
        _ = parts.connector.connect(features, trace: nil)
      })
    let mode: ScoringMode =
      parts.readout == nil
      ? .levels(LevelScoring()) : .scoreTokens(question: Engine.defaultQuestion)
    try engine.check(mode)
    let picture = parts.connector.connect(features, trace: nil)
    let prompt = try engine.promptRows(picture, mode)
    let count = prompt.rows.rows
    let cache = parts.language.makeCache(rows: prompt.prefix.count + count + 64)
    let bytes = Double(engine.languageBytes)
    cache.start(with: prompt.prefix)
    body(
      row("a language layer of \(count) rows", parts.language.layerOperations(rows: count)) {
        _ = parts.language.firstLayer(
          prompt.rows.copy(), SequenceRows(prompt.kinds, cache: cache, wanted: count))
      })
    body(
      row("prefill of \(count) rows", parts.language.operations(rows: count)) {
        cache.truncate(to: 0)
        cache.start(with: prompt.prefix)
        _ = parts.language.logits(
          parts.language.run(
            prompt.rows.copy(), [SequenceRows(prompt.kinds, cache: cache, wanted: 1)], trace: nil))
      })
    let start = cache.count
    let token = prompt.rows.copy(rows: count - 1..<count)
    body(
      row("decoding a token", parts.language.operations(rows: 1), bytes: bytes) {
        cache.truncate(to: start)
        _ = parts.language.logits(
          parts.language.run(
            token.copy(), [SequenceRows([.text(1)], cache: cache, wanted: 1)], trace: nil))
      })
    var failure: ModelError?
    body(
      row("a picture, prepared pixels to score", 0) {
        do throws(ModelError) {
          switch mode {
          case .scoreTokens: _ = try engine.answer(pixels)
          case .levels(let levels): _ = try engine.answer(pixels, levels: levels)
          }
        } catch {
          failure = error
        }
      })
    if let failure { throw failure }
  }

  private func row(
    _ name: String, _ operations: Double, bytes: Double = 0, _ work: () -> Void
  ) -> Row {
    let clock = ContinuousClock()
    work()
    let seconds = (0..<rounds).map { _ in clock.measure(work) / .seconds(1) }
    return Row(name: name, seconds: seconds, operations: operations, bytes: bytes)
  }
}
