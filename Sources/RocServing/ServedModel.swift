package import RocJSON
package import RocModel
import RocScore
import RocTensor

/// The model of a server, its queue, and what it is asked.
package struct ServedModel: Sendable {
  /// What clients call it.
  package let name: String
  package let queue: ScoringQueue
  package let defaults: ScoreRequest.Defaults
  private let backbone: String
  private let precision: String
  private let axis: ScoreAxis?

  /// - Parameters:
  ///   - name: What clients call it.
  ///   - engine: Loaded; nobody else uses it meanwhile.
  ///   - mode: What is asked where a request does not say.
  ///   - limits: How much the queue takes.
  ///   - metrics: Gets counts and times.
  package init(
    name: String, engine: Engine, mode: ScoringMode, limits: ScoringQueue.Limits,
    metrics: ServerMetrics
  ) {
    self.name = name
    queue = ScoringQueue(engine, limits: limits, metrics: metrics)
    axis = engine.parts.readout?.axis
    defaults = ScoreRequest.Defaults(
      asked: Asked(mode: mode, decimals: 4), hasScoreTokens: axis != nil)
    backbone = engine.parts.backboneName
    precision = engine.precision.rawValue
  }

  /// Its entry in a list of models.
  package var json: JSON {
    [
      "id": .string(name), "object": "model", "owned_by": "roc", "engine": .string(Engine.version),
      "backbone": .string(backbone), "precision": .string(precision),
      "score_tokens": JSON(axis?.values.count),
      "score_range": axis.map { JSON([$0.low, $0.high]) } ?? .null,
    ]
  }
}
