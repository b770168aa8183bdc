package import RocCheckpoint
import RocFiles
import RocJSON
package import RocScore
package import RocTensor
import RocTokenizer

/// Turns a checkpoint into one with `[SCORE]` and N score tokens, untrained.
///
/// The tokens follow the last one of the tokenizer. Their rows of embeddings and head are the mean of
/// those of the other tokens, as the official trainer makes them; where the tables have rows to
/// spare after the last token, these are taken, and the tables keep their size. A checkpoint that
/// has score tokens already is refused, where that trainer would overwrite them.
package enum ScoreTokens {
  /// - Parameters:
  ///   - base: A checkpoint without score tokens.
  ///   - folder: Must not exist.
  ///   - axis: What the score tokens stand for, 2 or more.
  ///   - compute: Threads.
  ///   - progress: Called with the bytes written so far and the total; false stops.
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
    let first = loader.tokenizer.largestID + 1
    guard loader.tokenizer.count == first else {
      throw .checkpoint(
        """
        \(base): the tokenizer has \(loader.tokenizer.count) tokens with ids up to \(first - 1); new \
        tokens need ids without gaps
        """)
    }
    guard first + tokens + 1 <= 1 << 20 else {
      throw .request("\(tokens) score tokens are too many")
    }
    // mPLUG-Owl2's score tokens are the last rows, wherever the tokenizer ends.
    guard !loader.backbone.readsLastRows || first == loader.sizes.vocabulary else {
      throw .checkpoint(
        """
        \(base): the tokenizer has \(first) tokens and config.json vocab_size \
        \(loader.sizes.vocabulary); new tokens need them equal
        """)
    }
    let rows = max(loader.sizes.vocabulary, first + tokens + 1)
    let checkpoint = loader.checkpoint
    do throws(CheckpointError) {
      var plans: [TensorPlan] = []
      for name in checkpoint.ownNames {
        guard let tensor = checkpoint[name] else { continue }
        let isTable = name == loader.names.embeddings || name == loader.names.head
        plans.append(
          isTable
            ? extended(tensor, to: rows, new: first..<first + tokens + 1)
            : TensorPlan(copying: tensor))
      }
      for (name, values) in type(of: loader.backbone).scoreTensors where checkpoint[name] == nil {
        plans.append(TensorPlan(name: name, dtype: .f32, shape: [values.count], values: values))
      }
      var texts = try AddedTokenFiles.texts(
        checkpoint, TokenizerFiles.scoreTokens(tokens), first: first)
      texts["config.json"] = try config(loader, rows: rows, scoreID: first, axis)
      try writer.write(
        CheckpointContents(weights: plans, texts: texts, copies: checkpoint.otherFiles),
        progress: progress)
    } catch {
      throw .output(error)
    }
  }

  /// The tensor with `rows` rows, of which those of new tokens are the mean of all before them.
  private static func extended(_ tensor: Tensor, to rows: Int, new: Range<Int>) -> TensorPlan {
    let (stored, columns) = (tensor.shape[0], tensor.shape[1])
    return TensorPlan(
      name: tensor.name, dtype: tensor.dtype, shape: [rows, columns]
    ) { sink throws(CheckpointError) in
      let kept = min(new.lowerBound, stored)
      let bytes = columns * tensor.dtype.size
      try tensor.withContents { contents throws(CheckpointError) in
        try sink.write(UnsafeRawBufferPointer(rebasing: contents[..<(kept * bytes)]))
      }
      let weights = tensor.weights(rows: stored, columns: columns)
      var sums = [Double](repeating: 0, count: columns)
      for row in 0..<kept {
        for (i, value) in weights.widened(row: row).enumerated() { sums[i] += Double(value) }
      }
      let mean = narrowed(sums.map { Float($0 / Double(kept)) }, to: tensor.dtype)
      for _ in new { try sink.write(mean) }
      // Rows to spare after the new tokens stay as they are.
      guard new.upperBound < stored else { return }
      try tensor.withContents { contents throws(CheckpointError) in
        try sink.write(UnsafeRawBufferPointer(rebasing: contents[(new.upperBound * bytes)...]))
      }
    }
  }

  private static func config(
    _ loader: ModelLoader, rows: Int, scoreID: Int, _ axis: ScoreAxis
  ) throws(CheckpointError) -> [UInt8] {
    let tokens = axis.values.count
    let changes: [(name: String, value: JSON)] = [
      ("vocab_size", .int(rows)), ("score_id", .int(scoreID)), ("img_token_num", .int(tokens)),
      ("num_tokens", .int(tokens)), ("min_score", JSON(number: axis.low)),
      ("max_score", JSON(number: axis.high)), ("output_first_id", .int(scoreID + 1)),
      ("output_last_id", .int(scoreID + tokens)),
    ]
    return TokenizerFiles.bytes(.object(try loader.configuration(dtype: nil, changes: changes)))
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
  /// whatever else is not weights (licence, model card, chat template).
  package var otherFiles: [String: String] {
    var paths: [String: String] = [:]
    for name in folderEntries(folder) where isCopied(name) { paths[name] = "\(folder)/\(name)" }
    for name in companions + ["generation_config.json"] {
      paths[name] = fileExists(path(of: name)) ? path(of: name) : nil
    }
    // Settings of what lies elsewhere; its weights are written with the others.
    for file in outside where file.name.hasSuffix(".json") { paths[file.name] = file.path }
    return paths
  }

  private func isCopied(_ name: String) -> Bool {
    let weights = [".safetensors", ".bin", ".index.json", ".pt", ".pth", ".gguf", ".onnx", ".h5"]
    return !name.hasPrefix(".") && !weights.contains(where: name.hasSuffix)
      && name != "adapter_config.json" && isSmallFile("\(folder)/\(name)")
  }
}
