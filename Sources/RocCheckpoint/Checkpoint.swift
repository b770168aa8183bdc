import RocDigest
import RocFiles
package import RocJSON
package import RocTensor

/// A checkpoint folder: its configuration files and its mapped weights.
///
/// Weights are safetensors or PyTorch's .bin, in one file or in shards with an index. A folder
/// that holds an adapter (LoRA) stands for its base checkpoint with the adapter's part added.
package struct Checkpoint: Sendable {
  package let folder: String
  /// The weight files, in the order of their names.
  package let weightFiles: [String]
  /// How the matrices of a converted checkpoint are packed; nil for ordinary ones.
  package let layout: Layout?
  /// The adapter, whose tensors replace or change those of its base.
  package let adapter: Adapter?
  /// What was done to the files to read them, for people.
  package let notes: [String]
  private let tensors: [String: Tensor]

  /// How weight matrices lie in a converted checkpoint.
  package struct Layout: Sendable, Equatable {
    package let version: String
    package let precision: String
  }

  /// The layout that this version writes and reads: see `roc_panel_bytes`.
  package static let panelLayout = "panels64/1"

  /// The name of a packed matrix.
  package static func panelName(_ name: String, _ precision: Precision) -> String {
    "\(name).panels.\(precision.rawValue)"
  }

  /// Maps every weight file of `folder`.
  ///
  /// - Parameters:
  ///   - folder: Of the checkpoint.
  ///   - base: What an adapter is put on; what its own settings name when nil.
  /// - Throws: `CheckpointError` when files are missing, cut or contradict the index.
  package init(folder: String, base: String? = nil) throws(CheckpointError) {
    self.folder = folder
    let weights = try WeightSet(in: folder)
    let adapter = try Adapter(folder: folder, base: base)
    guard base == nil || adapter != nil else {
      throw CheckpointError("\(folder): a base is given, but there is no adapter_config.json")
    }
    guard weights == nil || adapter == nil else {
      throw CheckpointError(
        """
        \(folder): has weights and adapter_config.json; move one of them away, since the adapter \
        may be part of the weights already
        """)
    }
    guard weights != nil || adapter != nil else {
      throw CheckpointError(WeightSet.reasonForNone(in: folder))
    }
    var layout: Layout?
    for file in weights?.files ?? [] {
      guard let version = file.metadata["roc_layout"] else { continue }
      layout = Layout(version: version, precision: file.metadata["roc_precision"] ?? "")
    }
    self.layout = layout
    self.adapter = adapter
    weightFiles = weights?.names ?? []
    var tensors = adapter?.base.tensors ?? [:]
    if let weights { tensors = weights.tensors }
    for (name, tensor) in adapter?.replaced ?? [:] { tensors[name] = tensor }
    self.tensors = tensors
    notes = (weights?.notes ?? []) + (adapter?.base.notes ?? [])
  }

  /// A checkpoint without a single tensor, to ask a network what it needs.
  package static let empty = Checkpoint()

  private init() {
    folder = ""
    weightFiles = []
    layout = nil
    adapter = nil
    notes = []
    tensors = [:]
  }

  private init(_ other: Checkpoint, tensors: [String: Tensor], notes: [String]) {
    folder = other.folder
    weightFiles = other.weightFiles
    layout = other.layout
    adapter = other.adapter
    self.notes = notes
    self.tensors = tensors
  }

  /// The same checkpoint, in which one tensor is another one under a second name, as configurations
  /// with `tie_word_embeddings` ask for.
  package func tied(_ name: String, to other: String) -> Checkpoint {
    guard let tensor = tensors[other], adapter?.replaced[name] == nil else { return self }
    var notes = notes
    if let own = tensors[name], !own.equals(tensor) {
      notes.append(
        """
        \(own.path): \(name) differs from \(other), but config.json says tie_word_embeddings: \
        \(other) counts, as in transformers
        """)
    }
    var tensors = tensors
    tensors[name] = tensor.renamed(name)
    return Checkpoint(self, tensors: tensors, notes: notes)
  }

  /// The tensor of that name, or nil.
  package subscript(name: String) -> Tensor? { tensors[name] }

  /// What an adapter adds to the tensor of that name; nil for nothing.
  package func update(of name: String) -> LowRankUpdate? { adapter?.updates[name] }

  /// All names, sorted.
  package var names: [String] { tensors.keys.sorted() }

  /// Bytes of all tensors together.
  package var byteCount: Int { tensors.values.reduce(0) { $0 + $1.byteCount } }

  /// A configuration file of the folder, or of the base that an adapter belongs to.
  package func json(_ name: String) throws(CheckpointError) -> JSON {
    try readJSON(path(of: name))
  }

  /// Where a file lies that an adapter's folder may leave to its base.
  package func path(of name: String) -> String {
    let own = "\(folder)/\(name)"
    guard let base = adapter?.base else { return own }
    // A tokenizer's files belong together.
    let key = Self.tokenizerFiles.contains(name) ? "tokenizer.model" : name
    return fileExists("\(folder)/\(key)") ? own : base.path(of: name)
  }

  private static let tokenizerFiles = [
    "tokenizer.model", "tokenizer_config.json", "special_tokens_map.json", "added_tokens.json",
  ]

  /// The folder, or the base's where only that has the file.
  package func folder(of name: String) -> String {
    String(path(of: name).dropLast(name.utf8.count + 1))
  }

  /// The files beside the weights that decide what a model does.
  package static let companions = [
    "config.json", "preprocessor_config.json", "tokenizer.model", "tokenizer_config.json",
    "special_tokens_map.json", "added_tokens.json",
  ]

  /// SHA-256 over the lines `<sha256>  <file name>` of weights, config, tokenizer and
  /// preprocessor files, sorted by name; for an adapter, of its files and of its base as `base`.
  package func sha256() throws(CheckpointError) -> String { Self.sha256(of: try digests()) }

  /// The checkpoint's SHA-256 from those of its files.
  package static func sha256(of digests: [(name: String, sha256: String)]) -> String {
    SHA256.of(digests.map { "\($0.sha256)  \($0.name)\n" }.joined())
  }

  /// The SHA-256 of every file that `sha256` covers, by name.
  package func digests() throws(CheckpointError) -> [(name: String, sha256: String)] {
    var result: [(name: String, sha256: String)] = []
    let names = weightFiles + Self.companions + (adapter?.files ?? [])
    for name in names.sorted() where fileExists("\(folder)/\(name)") {
      // An adapter's tokenizer files without a tokenizer are not read.
      guard path(of: name) == "\(folder)/\(name)" else { continue }
      do throws(FileError) {
        result.append((name, try SHA256.of(file: "\(folder)/\(name)")))
      } catch {
        throw CheckpointError(error)
      }
    }
    if weightFiles.isEmpty, let base = adapter?.base { result.append(("base", try base.sha256())) }
    return result
  }
}
