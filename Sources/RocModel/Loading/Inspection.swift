package import RocCheckpoint
import RocJSON
import RocScore
package import RocTensor

/// What a checkpoint folder holds, and what of it fits its config.
package struct Inspection {
  package let checkpoint: Checkpoint
  /// Tensors that are missing, misshapen or of another format than a model computes with.
  package let problems: [String]
  /// Tensors that no part of the model asks for.
  package let unexpected: [String]
  /// Bytes in memory by precision; for a packed checkpoint, of its own only.
  package let needs: [(precision: Precision, bytes: Int)]
  /// Facts by name, in order.
  package let facts: [(name: String, value: String)]

  /// - Parameters:
  ///   - folder: Of the checkpoint.
  ///   - compute: Kernels, which decide what `auto` means.
  ///   - base: What an adapter is put on; what its own settings name when nil.
  ///   - readsValues: Also looks for values that are infinite or NaN.
  /// - Throws: `ModelError` when the weights or the config cannot be read at all.
  package init(
    folder: String, compute: Compute, base: String? = nil, readsValues: Bool = false
  ) throws(ModelError) {
    let (checkpoint, backbone) = try ModelLoader.open(folder, base: base)
    // Refuses packed weights of an unknown layout.
    let chosen = try ModelLoader.precision(nil, of: checkpoint, compute)
    let stored = checkpoint.layout == nil ? nil : chosen
    var needs: [(precision: Precision, bytes: Int)] = []
    var problems: [String] = []
    var asked: Set<String> = []
    for precision in stored.map({ [$0] }) ?? Precision.allCases {
      let reader = WeightReader(
        checkpoint, precision: precision, compute: compute, isChecking: true)
      _ = backbone.networks(reader, compute)
      needs.append((precision, reader.bytes))
      (problems, asked) = (reader.problems, reader.asked)
    }
    do throws(ModelError) {
      let tokenizer = try ModelLoader.tokenizer(checkpoint, backbone)
      _ = try EndTokens.all(backbone, checkpoint, tokenizer)
      _ = try backbone.preprocessing(checkpoint)
    } catch {
      problems.append(error.description)
    }
    for name in readsValues ? checkpoint.names : [] where asked.contains(name) {
      guard let tensor = checkpoint[name], [.f32, .f16, .bf16].contains(tensor.dtype),
        !tensor.weights(rows: 1, columns: tensor.count).isFinite(compute)
      else { continue }
      problems.append("not finite: \(name) holds infinite or NaN values")
    }
    self.checkpoint = checkpoint
    self.problems = problems
    self.needs = needs
    unexpected = checkpoint.ownNames.filter { !asked.contains($0) }
    facts = Self.facts(backbone, checkpoint)
  }

  private static func facts(
    _ backbone: any Backbone, _ checkpoint: Checkpoint
  ) -> [(name: String, value: String)] {
    let readout = backbone.readout.map {
      "\($0.tokens) on \($0.axis.low)…\($0.axis.high), [SCORE] is \($0.scoreID)"
    }
    var facts = [("architecture", type(of: backbone).modelTypes[0])] + backbone.facts
    facts.append(("score tokens", readout ?? "none; score with --scoring levels"))
    if let layout = checkpoint.layout {
      facts.append(("packed", "\(layout.version), \(layout.precision)"))
    }
    if let adapter = checkpoint.adapter {
      facts.append(
        (
          "adapter",
          """
          \(adapter.updates.count) low-rank updates and \(adapter.replaced.count) whole tensors \
          over \(adapter.base.folder)
          """
        ))
    }
    return facts
  }
}

extension Checkpoint {
  /// A configuration file as JSON.
  func readable(_ name: String) throws(ModelError) -> JSON {
    do throws(CheckpointError) {
      return try json(name)
    } catch {
      throw ModelError(error)
    }
  }
}
