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
  /// Files outside the folder that belong to it, by the names that the digest has for them.
  package let outside: [(name: String, path: String)]
  /// Files that its network reads besides the usual ones.
  package var further: [String] = []
  private let tensors: [String: Tensor]
  /// The name under which a tied tensor stands a second time.
  private var alias: String?

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
    outside = adapter?.base.outside ?? []
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
    outside = []
    tensors = [:]
  }

  private init(
    _ other: Checkpoint, tensors: [String: Tensor], notes: [String],
    outside: [(name: String, path: String)]? = nil
  ) {
    self.outside = outside ?? other.outside
    further = other.further
    alias = other.alias
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
    var result = Checkpoint(self, tensors: tensors, notes: notes)
    result.alias = name
    return result
  }

  /// The same checkpoint with tensors that lie elsewhere, such as a vision tower in its own folder.
  ///
  /// - Parameters:
  ///   - added: By the names that the network has for them; they replace others of these names.
  ///   - files: Where they come from, by the names that the digest has for them.
  ///   - note: Says so to people.
  /// - Returns: The checkpoint with these tensors.
  package func adding(
    _ added: [Tensor], from files: [(name: String, path: String)], note: String?
  ) -> Checkpoint {
    var tensors = tensors
    for tensor in added { tensors[tensor.name] = tensor }
    return Checkpoint(
      self, tensors: tensors, notes: notes + (note.map { [$0] } ?? []), outside: outside + files)
  }

  /// The tensor of that name, or nil.
  package subscript(name: String) -> Tensor? { tensors[name] }

  /// What an adapter adds to the tensor of that name; nil for nothing.
  package func update(of name: String) -> LowRankUpdate? { adapter?.updates[name] }

  /// All names, sorted.
  package var names: [String] { tensors.keys.sorted() }

  /// The names of tensors that are not another one under a second name.
  package var ownNames: [String] { names.filter { $0 != alias } }

  /// Bytes of all tensors together.
  package var byteCount: Int { tensors.values.reduce(0) { $0 + $1.byteCount } }

  /// A configuration file of the folder, or of the base that an adapter belongs to.
  package func json(_ name: String) throws(CheckpointError) -> JSON {
    try readJSON(path(of: name))
  }

  /// The files that hold weights, those of an adapter's base and of towers elsewhere included.
  var weightPaths: [String] {
    let own = (weightFiles + (adapter?.files ?? [])).map { "\(folder)/\($0)" }
    return own + outside.map(\.path) + (adapter?.base.weightPaths ?? [])
  }

  /// Where a file lies that an adapter's folder may leave to its base.
  package func path(of name: String) -> String {
    let own = "\(folder)/\(name)"
    guard let base = adapter?.base else { return own }
    // A tokenizer's files belong together.
    if Self.tokenizerFiles.contains(name) { return hasTokenizer ? own : base.path(of: name) }
    return fileExists(own) ? own : base.path(of: name)
  }

  private static let tokenizerFiles = [
    "tokenizer.model", "tokenizer.json", "vocab.json", "merges.txt", "tokenizer_config.json",
    "special_tokens_map.json", "added_tokens.json",
  ]

  /// Whether the folder itself has a tokenizer that counts: where its network reads tokenizer.model
  /// and the base has one, nothing else takes its place.
  private var hasTokenizer: Bool {
    if fileExists("\(folder)/tokenizer.model") { return true }
    let hasOther = ["tokenizer.json", "vocab.json"].contains { fileExists("\(folder)/\($0)") }
    guard let base = adapter?.base, !further.contains("tokenizer.json") else { return hasOther }
    return hasOther && !fileExists("\(base.tokenizerFolder)/tokenizer.model")
  }

  /// The folder whose tokenizer counts: an adapter may leave it to its base.
  package var tokenizerFolder: String {
    guard let base = adapter?.base, !hasTokenizer else { return folder }
    return base.tokenizerFolder
  }

  /// The files beside the weights that decide what a model does.
  package static let companions = [
    "config.json", "preprocessor_config.json", "tokenizer.model", "tokenizer_config.json",
    "special_tokens_map.json", "added_tokens.json",
  ]

  /// The files of tokenizers that have no tokenizer.model.
  package static let fastTokenizer = ["tokenizer.json", "vocab.json", "merges.txt"]

  /// Those of this folder that count, with what its network reads besides the usual ones.
  ///
  /// Where tokenizer.model is read, others do not count, so digests stay what they always were.
  package var companions: [String] {
    let others = fileExists("\(folder)/tokenizer.model") ? [] : Self.fastTokenizer
    return Self.companions + others.filter { !further.contains($0) } + further
  }

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
    let names = weightFiles + companions + (adapter?.files ?? [])
    for name in names.sorted() where fileExists("\(folder)/\(name)") {
      // An adapter's tokenizer files without a tokenizer are not read.
      guard path(of: name) == "\(folder)/\(name)" else { continue }
      do throws(FileError) {
        result.append((name, try SHA256.of(file: "\(folder)/\(name)")))
      } catch {
        throw CheckpointError(error)
      }
    }
    for file in outside {
      do throws(FileError) {
        result.append((file.name, try SHA256.of(file: file.path)))
      } catch {
        throw CheckpointError(error)
      }
    }
    if weightFiles.isEmpty, let base = adapter?.base { result.append(("base", try base.sha256())) }
    return result
  }
}
