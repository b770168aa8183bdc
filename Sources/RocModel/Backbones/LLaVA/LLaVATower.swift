import RocCheckpoint
import RocFiles
import RocJSON
import RocNames

/// Where the vision tower of an original LLaVA checkpoint is: `mm_vision_tower` names a folder or a
/// model of the Hugging Face Hub, and the checkpoint may hold the tower's weights itself.
///
/// The original code reads the inner copy only where `unfreeze_mm_vision_tower` is true
/// (`CLIPVisionTower` and `load_pretrained_model`); a frozen tower is the separate one.
struct LLaVATower: Sendable {
  /// What the tower's tensors are called inside a checkpoint.
  static let prefix = "model.vision_tower.vision_tower.vision_model."
  /// Where a checkpoint that is written whole has the tower's settings.
  static let folderInside = "vision_tower"
  /// In a file of its own; a whole CLIP has a text side as well.
  private static let ownPrefix = "vision_model."

  /// Has config.json and preprocessor_config.json.
  let folder: String
  /// Of the tower, without the text side of a whole CLIP.
  let config: ConfigReader
  /// Whether the checkpoint's own copy of the weights counts.
  let isInside: Bool

  /// What people read about it.
  var summary: String { isInside ? "in the checkpoint" : folder }

  /// - Throws: `ModelError.checkpoint` with the command that downloads a tower that is not found.
  init(_ checkpoint: Checkpoint, _ config: ConfigReader) throws(ModelError) {
    guard let name = config.json["mm_vision_tower"]?.string, !name.isEmpty else {
      throw .checkpoint(
        """
        \(config.place): mm_vision_tower is \(config.json["mm_vision_tower"]?.line ?? "missing"), \
        expected the folder or the Hub name of the vision tower
        """)
    }
    folder = try Self.find(name, beside: checkpoint)
    let whole = try Self.read("\(folder)/config.json")
    self.config =
      whole.json["vision_config"]?.members == nil ? whole : try whole.object("vision_config")
    let hasOwn = checkpoint.names.contains { $0.hasPrefix(Self.prefix) }
    isInside = hasOwn && config.json["unfreeze_mm_vision_tower"]?.bool == true
  }

  /// The checkpoint's folder, one beside it, a path, or a model of the Hub that was downloaded.
  private static func find(_ name: String, beside checkpoint: Checkpoint) throws(ModelError)
    -> String
  {
    let home = PathName.folder(checkpoint.path(of: "config.json"))
    let last = PathName.base(name)
    var places = ["\(home)/\(name)", name, "\(home)/../\(last)"]
    if let base = checkpoint.adapter?.base.folder { places.append("\(base)/\(name)") }
    if let found = places.first(where: { fileExists("\($0)/config.json") }) { return found }
    do throws(CheckpointError) {
      let found = try HubCache.resolve(name)
      guard fileExists("\(found)/config.json") else {
        throw CheckpointError(
          found == name
            ? "expected \(places[0]) with config.json, preprocessor_config.json and the weights"
            : "\(found) has no config.json")
      }
      return found
    } catch {
      throw .checkpoint(
        "\(home): its vision tower \(name) is neither in the folder nor beside it; \(error.message)"
      )
    }
  }

  private static func read(_ path: String) throws(ModelError) -> ConfigReader {
    do throws(CheckpointError) {
      return ConfigReader(json: try readJSON(path), place: path)
    } catch {
      throw ModelError(error)
    }
  }

  /// preprocessor_config.json, which belongs to the tower.
  func preprocessor() throws(ModelError) -> ConfigReader {
    try Self.read("\(folder)/preprocessor_config.json")
  }

  /// The checkpoint with the tower that counts.
  func completed(_ checkpoint: Checkpoint) throws(ModelError) -> Checkpoint {
    let settings = ["config.json", "preprocessor_config.json"]
      .map { (name: "\(Self.folderInside)/\($0)", path: "\(folder)/\($0)") }
      .filter { fileExists($0.path) }
    if isInside { return checkpoint.adding([], from: settings, note: nil) }
    let tower: Checkpoint
    do throws(CheckpointError) {
      tower = try Checkpoint(folder: folder)
    } catch {
      throw .checkpoint("the vision tower: \(error.message)")
    }
    let tensors = tower.names.filter { $0.hasPrefix(Self.ownPrefix) }.compactMap { name in
      tower[name]?.renamed(Self.prefix + name.dropFirst(Self.ownPrefix.count))
    }
    guard !tensors.isEmpty else {
      throw .checkpoint(
        "\(folder): no tensor begins with \(Self.ownPrefix); it holds no CLIP vision tower")
    }
    let hasOwn = checkpoint.names.contains { $0.hasPrefix(Self.prefix) }
    return checkpoint.adding(
      tensors,
      from: settings
        + tower.weightFiles.map { (name: "\(Self.folderInside)/\($0)", path: "\(folder)/\($0)") },
      note: hasOwn
        ? """
        \(checkpoint.folder): holds a vision tower, but unfreeze_mm_vision_tower is not true, so \
        that of \(folder) counts, as in LLaVA's own code
        """ : nil)
  }
}
