package import RocCheckpoint
import RocImage
package import RocNames
import RocTensor

/// Compares a model's stages with tensors that a reference has written, one after the other, so
/// that the first one that differs shows where a port goes wrong.
///
/// The reference is a safetensors file: for each picture `<stem>/pixel_values` [3, S, S] and any of
/// `vision`, `abstractor` or `projected`, `embeddings`, `llama.layerN` or `lm.layerN`, `llama.final`
/// or `lm.final` (whole, or `.last` for the last prompt row), `logits.prompt` and `logits.score`
/// [K, vocabulary]. The pixels are the input; where they are absent, the picture file is. Models
/// that take pictures of any size need the picture files: rows of patches do not say how they lie.
package struct Verification {
  /// One stage of one picture.
  package struct Stage: Sendable {
    package let picture: String
    package let name: String
    /// The largest absolute difference; infinite when sizes differ or a value is not finite.
    package let difference: Double
    /// How many values the reference and this model have; nil where it has no such stage.
    package let counts: (golden: Int, own: Int?)
    package let tolerance: Double

    package var holds: Bool { difference <= tolerance }
  }

  /// In the order of the network, picture by picture.
  package let stages: [Stage]
  /// Pictures that could not be compared: with neither pixels in the file nor a picture file.
  package let skipped: [String]

  /// Stages in the order of the network; those of layers come by number in between.
  private static let order = [
    "pixel_values", "vision.embeddings", "vision.layer", "vision", "abstractor.layer", "abstractor",
    "projected", "embeddings", "llama.layer", "lm.layer", "llama.final", "lm.final",
    "logits.prompt", "logits.score",
  ]

  /// Float32 sums in another order differ by this much in the largest reference model; features of a
  /// picture, which grow from layer to layer in Qwen2-VL's tower, by a share of the largest.
  private static func tolerance(_ name: String, _ tensor: Tensor, grows: Bool) -> Double {
    if name == "pixel_values" { return 1e-6 }
    if name.hasPrefix("logits") { return 5e-4 }
    guard grows, name.hasPrefix("vision") || name == "projected",
      [.f32, .f16, .bf16].contains(tensor.dtype)
    else { return 2e-4 }
    let largest = tensor.widened.reduce(Float(0)) { max($0, abs($1)) }
    return max(2e-4, 1e-5 * Double(largest.isFinite ? largest : 0))
  }

  /// - Parameters:
  ///   - engine: The model.
  ///   - golden: Path of the reference tensors.
  ///   - question: What the reference asked.
  ///   - pictures: Paths of picture files by stem, for stages without `pixel_values`.
  ///   - scale: Factor of all tolerances, above 1 for coarser precisions.
  /// - Throws: `ModelError` when the file or a picture cannot be read, or holds no stages at all.
  package init(
    _ engine: Engine, golden: String, question: String, pictures: [ExactText: String] = [:],
    scale: Double = 1
  ) throws(ModelError) {
    let file: WeightFile
    do throws(CheckpointError) {
      file = try WeightFile(path: golden)
    } catch {
      throw ModelError(error)
    }
    var byPicture: [ExactText: [Tensor]] = [:]
    for tensor in file.tensors {
      guard let slash = tensor.name.utf8.firstIndex(of: UInt8(ascii: "/")) else { continue }
      byPicture[String(tensor.name[..<slash]), default: []].append(tensor)
    }
    var stages: [Stage] = []
    var skipped: [String] = []
    for (key, tensors) in byPicture.sorted(by: { $0.key < $1.key }) {
      let picture = key.text
      let isFitted = engine.parts.preprocessing.cropSize == 0
      let stored =
        isFitted ? nil : tensors.first { $0.name.isExactly("\(picture)/pixel_values") }
      guard stored != nil || pictures[picture] != nil else {
        skipped.append(picture)
        continue
      }
      let trace = Trace()
      _ = try engine.answer(
        try Self.pixels(stored, pictures[picture], engine), AnswerRequest(question: question),
        trace: trace)
      stages += tensors.map { tensor in
        let name = String(Substring(tensor.name.utf8.dropFirst(picture.utf8.count + 1)))
        let own = trace.reference(name, tensor)
        return Stage(
          picture: picture, name: name, difference: Self.difference(tensor, own),
          counts: (tensor.count, own?.count),
          tolerance: Self.tolerance(name, tensor, grows: isFitted)
            * (name == "pixel_values" ? 1 : scale))
      }
      .sorted { Self.rank($0.name) < Self.rank($1.name) }
    }
    guard !byPicture.isEmpty else {
      throw .checkpoint("\(golden): no tensors named picture/stage")
    }
    self.stages = stages
    self.skipped = skipped
  }

  /// The model's input: as the reference stored it, or from the picture.
  private static func pixels(
    _ stored: Tensor?, _ path: String?, _ engine: Engine
  ) throws(ModelError) -> Pixels {
    let edge = engine.parts.preprocessing.cropSize
    guard let stored else {
      do throws(PictureError) {
        let path = path ?? ""
        return try engine.parts.preprocessing(try Picture.read(path), path: path)
      } catch {
        throw .checkpoint(error.description)
      }
    }
    guard stored.count == 3 * edge * edge, stored.dtype == .f32 else {
      throw .checkpoint(
        """
        \(stored.path): \(stored.name) is \(stored.dtype.rawValue) \(stored.shape), this model \
        takes F32 [3, \(edge), \(edge)]
        """)
    }
    return Pixels(height: edge, width: edge, values: stored.widened)
  }

  private static func rank(_ name: String) -> (Int, Int, String) {
    // The longest match: "vision" also begins "vision.layer0".
    let place = order.indices.filter { name.hasPrefix(order[$0]) }.max { order[$0] < order[$1] }
    let digits = name.drop { !$0.isNumber }.prefix { $0.isNumber }
    return (place ?? order.count, Int(digits) ?? 0, name)
  }

  private static func difference(_ tensor: Tensor, _ found: [Float]?) -> Double {
    guard [.f32, .f16, .bf16].contains(tensor.dtype), let found, found.count == tensor.count
    else { return .infinity }
    var largest = 0.0
    for (a, b) in zip(found, tensor.widened) {
      guard a.isFinite, b.isFinite else { return .infinity }
      largest = max(largest, abs(Double(a) - Double(b)))
    }
    return largest
  }
}

extension Trace {
  /// The recorded values that a reference tensor's name stands for.
  package func reference(_ name: String, _ tensor: Tensor) -> [Float]? {
    var name = name
    // LLaVA's and Qwen2-VL's references have other names for the same stages.
    if name == "projected" { name = "abstractor" }
    if name.hasPrefix("lm.") { name = "llama." + name.dropFirst(3) }
    if name.hasSuffix(".last") {
      return values[String(name.dropLast(5))].map { Array($0.suffix(tensor.count)) }
    }
    if name == "logits.score" {
      var all: [Float] = []
      while let next = values["logits.score.\(all.count / max(tensor.shape.last ?? 1, 1))"],
        all.count < tensor.count
      {
        all += next
      }
      return all
    }
    return values[name]
  }
}
