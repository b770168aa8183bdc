package import RocCheckpoint
import RocFiles
import RocJSON
package import RocScore
package import RocTensor
import RocTokenizer

/// Turns an mPLUG-Owl2 checkpoint into one with `[SCORE]` and N score tokens, untrained.
///
/// The new rows of embeddings and head are the mean of the old rows, as the official trainer makes
/// them. Unlike that trainer, nothing of a checkpoint that has score tokens is ever overwritten: it
/// is refused.
package enum ScoreTokens {
  /// - Parameters:
  ///   - base: A checkpoint without score tokens.
  ///   - folder: Must not exist.
  ///   - axis: What the score tokens stand for, 2 or more.
  ///   - compute: Threads.
  ///   - progress: Called with the bytes that are written and those in all; false stops.
  /// - Throws: `ModelError` when the base has score tokens or does not fit its config.
  package static func add(
    to base: String, folder: String, axis: ScoreAxis, compute: Compute,
    progress: (Int, Int) -> Bool = { _, _ in true }
  ) throws(ModelError) {
    let tokens = axis.values.count
    let writer = try creating(folder)
    let loader = try ModelLoader(folder: base, compute: compute, precision: .f32)
    guard loader.checkpoint.layout == nil, loader.checkpoint.adapter == nil else {
      throw .request(
        """
        \(base) is \(loader.checkpoint.adapter == nil ? "packed" : "an adapter"); convert it to \
        ordinary weights first: roc-model convert \(base) OUT --dtype bf16
        """)
    }
    guard loader.readout == nil, loader.tokenizer.id(of: "[SCORE]") == nil else {
      throw .request("\(base) has score tokens already; training continues with its rows")
    }
    let vocabulary = loader.sizes.vocabulary
    guard loader.tokenizer.count == vocabulary else {
      throw .checkpoint(
        """
        \(base): the tokenizer has \(loader.tokenizer.count) tokens and config.json vocab_size \
        \(vocabulary); new tokens need them equal
        """)
    }
    guard vocabulary + tokens + 1 <= 1 << 20 else {
      throw .request("\(tokens) score tokens are too many")
    }
    let checkpoint = loader.checkpoint
    do throws(CheckpointError) {
      var plans: [TensorPlan] = []
      for name in checkpoint.ownNames {
        guard let tensor = checkpoint[name] else { continue }
        let isTable = name == loader.names.embeddings || name == loader.names.head
        plans.append(
          isTable ? extended(tensor, by: tokens + 1) : TensorPlan(copying: tensor))
      }
      if checkpoint["learned_weight"] == nil {
        plans.append(TensorPlan(name: "learned_weight", dtype: .f32, shape: [1], values: [0]))
      }
      let added: [(id: Int, text: String)] =
        TokenizerFiles.scoreTokens(tokens).enumerated().map { (vocabulary + $0, $1) }
      let texts = [
        "config.json": try config(loader, vocabulary, axis),
        "added_tokens.json": try addedTokens(checkpoint, added),
      ]
      try writer.write(
        CheckpointContents(weights: plans, texts: texts, copies: checkpoint.otherFiles),
        progress: progress)
    } catch {
      throw .output(error)
    }
  }

  /// The tensor with `count` more rows, each the mean of its rows.
  private static func extended(_ tensor: Tensor, by count: Int) -> TensorPlan {
    let (rows, columns) = (tensor.shape[0], tensor.shape[1])
    return TensorPlan(
      name: tensor.name, dtype: tensor.dtype, shape: [rows + count, columns]
    ) { sink throws(CheckpointError) in
      try tensor.withContents { bytes throws(CheckpointError) in try sink.write(bytes) }
      let weights = tensor.weights(rows: rows, columns: columns)
      var sums = [Double](repeating: 0, count: columns)
      for row in 0..<rows {
        for (i, value) in weights.widened(row: row).enumerated() { sums[i] += Double(value) }
      }
      let mean = narrowed(sums.map { Float($0 / Double(rows)) }, to: tensor.dtype)
      for _ in 0..<count { try sink.write(mean) }
    }
  }

  private static func config(
    _ loader: ModelLoader, _ vocabulary: Int, _ axis: ScoreAxis
  ) throws(CheckpointError) -> [UInt8] {
    let tokens = axis.values.count
    let changes: [(name: String, value: JSON)] = [
      ("vocab_size", .int(vocabulary + 1 + tokens)), ("score_id", .int(vocabulary)),
      ("img_token_num", .int(tokens)), ("num_tokens", .int(tokens)),
      ("min_score", JSON(number: axis.low)), ("max_score", JSON(number: axis.high)),
      ("output_first_id", .int(vocabulary + 1)), ("output_last_id", .int(vocabulary + tokens)),
    ]
    return TokenizerFiles.bytes(.object(try loader.configuration(dtype: nil, changes: changes)))
  }

  private static func addedTokens(
    _ checkpoint: Checkpoint, _ added: [(id: Int, text: String)]
  ) throws(CheckpointError) -> [UInt8] {
    let path = checkpoint.path(of: "added_tokens.json")
    let old = fileExists(path) ? try readJSON(path).members ?? [] : []
    return TokenizerFiles.bytes(.object(old + added.map { JSON.Member($0.text, .int($0.id)) }))
  }
}

extension TensorPlan {
  /// A tensor as it is.
  package init(copying tensor: Tensor) {
    self.init(name: tensor.name, dtype: tensor.dtype, shape: tensor.shape) {
      sink throws(CheckpointError) in
      try tensor.withContents { bytes throws(CheckpointError) in try sink.write(bytes) }
    }
  }
}

/// A writer for a new checkpoint, before any work is done.
func creating(_ folder: String) throws(ModelError) -> CheckpointWriter {
  do throws(CheckpointError) {
    return try CheckpointWriter(folder: folder)
  } catch {
    throw .output(error)
  }
}

extension Checkpoint {
  /// Files beside the weights that a copy takes over, name to path: what the model needs, and
  /// whatever else is no weights (licence, model card, chat template).
  package var otherFiles: [String: String] {
    var paths: [String: String] = [:]
    for name in folderEntries(folder) where isCopied(name) { paths[name] = "\(folder)/\(name)" }
    for name in companions + ["generation_config.json"] {
      paths[name] = fileExists(path(of: name)) ? path(of: name) : nil
    }
    return paths
  }

  private func isCopied(_ name: String) -> Bool {
    let weights = [".safetensors", ".bin", ".index.json", ".pt", ".pth", ".gguf", ".onnx", ".h5"]
    return !name.hasPrefix(".") && !weights.contains(where: name.hasSuffix)
      && name != "adapter_config.json" && isSmallFile("\(folder)/\(name)")
  }
}
