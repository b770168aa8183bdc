import RocJSON

/// How positions turn queries and keys, from a configuration's `rope_*` keys.
///
/// transformers 4 has `rope_theta` and `rope_scaling` at the top level, transformers 5 has both in
/// `rope_parameters` (https://huggingface.co/docs/transformers/en/internal/rope_utils). Whatever
/// would turn them differently is refused: it would change every score.
struct RotarySettings: Sendable, Equatable {
  /// The base of the frequencies.
  let theta: Float
  /// What positions are divided by in `linear` scaling; 1 for none.
  let factor: Float
  /// How many pairs of a head each axis of M-RoPE turns: time, row, column; nil where positions are
  /// a line.
  let sections: [Int]?

  /// - Parameters:
  ///   - config: Of the decoder.
  ///   - preset: The base where it states none.
  ///   - hasSections: Whether positions have axes, as in Qwen2-VL.
  /// - Throws: `ModelError.checkpoint` for a kind of scaling that is not computed here, and for two
  ///   keys that contradict each other.
  init(
    _ config: ConfigReader, theta preset: Double = 10_000, hasSections: Bool = false
  ) throws(ModelError) {
    let own = try config.positive("rope_theta", default: preset, within: ConfigReader.thetas)
    let isStated = !(config.json["rope_theta"]?.isNull ?? true)
    let scaling = try Scaling(config, "rope_scaling", hasSections: hasSections)
    let parameters = try Scaling(config, "rope_parameters", hasSections: hasSections)
    if let a = scaling, let b = parameters,
      a.factor != b.factor || (a.theta ?? b.theta) != (b.theta ?? a.theta)
        || (a.sections ?? b.sections) != (b.sections ?? a.sections)
    {
      throw .checkpoint(
        """
        \(config.place): rope_scaling \(a.text) and rope_parameters \(b.text) contradict each \
        other; keep the one that the weights were trained with
        """)
    }
    let inner = parameters?.theta ?? scaling?.theta
    if isStated, let inner, inner != own {
      throw .checkpoint(
        """
        \(config.place): rope_theta is \(own), and \(inner) in \
        \(parameters?.theta == nil ? "rope_scaling" : "rope_parameters"); keep the one that the \
        weights were trained with
        """)
    }
    theta = Float(inner ?? own)
    sections = parameters?.sections ?? scaling?.sections
    guard !hasSections || sections != nil else {
      throw .checkpoint(
        """
        \(config.place): rope_scaling has no mrope_section, without which rows of pictures have no \
        positions
        """)
    }
    factor = Float(parameters?.factor ?? scaling?.factor ?? 1)
  }

  /// One of the two objects.
  private struct Scaling {
    let theta: Double?
    let factor: Double
    let sections: [Int]?
    let text: String

    /// - Returns: Nil for a key that is absent or null.
    init?(_ config: ConfigReader, _ key: String, hasSections: Bool) throws(ModelError) {
      guard let json = config.json[key], !json.isNull else { return nil }
      let reader = try config.object(key)
      text = json.line
      // M-RoPE is "mrope" in released files and "default" once transformers has written them again.
      let kinds = ["rope_type", "type"].compactMap { json[$0] }.filter { !$0.isNull }.map {
        hasSections && $0.string == "mrope" ? "default" : $0
      }
      guard kinds.allSatisfy({ $0.string != nil }), Set(kinds.compactMap(\.string)).count <= 1
      else {
        throw .checkpoint("\(reader.place): \(text) names no single rope_type")
      }
      let kind = kinds.first?.string ?? (json["factor"] == nil ? "default" : nil)
      guard let kind, ["default", "linear"].contains(kind) else {
        throw .checkpoint(
          """
          \(reader.place): \(kind.map { "rope_type \($0)" } ?? "a factor without rope_type") is not \
          supported, only default and linear are; its scores would be others
          """)
      }
      var known = ["rope_type", "type", "rope_theta", "factor", "partial_rotary_factor"]
      if hasSections { known.append("mrope_section") }
      for member in json.members ?? [] where !member.value.isNull && !known.contains(member.name) {
        throw .checkpoint(
          """
          \(reader.place): \(member.name) is not supported beside rope_type \(kind); if it changes \
          nothing, remove it
          """)
      }
      guard try reader.number("partial_rotary_factor", default: 1) == 1 else {
        throw .checkpoint("\(reader.place): partial_rotary_factor other than 1 is not supported")
      }
      guard !hasSections || kind == "default" else {
        throw .checkpoint(
          "\(reader.place): rope_type \(kind) beside mrope_section is not supported, only default is"
        )
      }
      let parts = json["mrope_section"].flatMap { $0.isNull ? nil : $0.array ?? [] }
      sections = parts?.compactMap(\.int)
      if let sections,
        sections.count != 3 || parts?.count != 3
          || sections.contains(where: { !(0...1 << 16).contains($0) })
      {
        throw .checkpoint(
          "\(reader.place): mrope_section \(json["mrope_section"]?.line ?? ""), expected 3 numbers")
      }
      theta =
        json["rope_theta"]?.isNull ?? true
        ? nil : try reader.positive("rope_theta", default: 10_000, within: ConfigReader.thetas)
      let factor = try reader.positive("factor", default: 1)
      guard kind == "linear" ? json["factor"]?.double != nil : factor == 1 else {
        throw .checkpoint(
          """
          \(reader.place): rope_type \(kind) \
          \(kind == "linear" ? "needs a factor" : "has no factor, but \(factor) is given")
          """)
      }
      self.factor = factor
    }
  }
}
