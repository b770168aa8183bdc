package import Foundation
package import RocJSON

/// Files that tests read.
package enum Fixture {
  /// `Tests/Fixtures/reference`.
  package static let reference = URL(fileURLWithPath: #filePath)
    .deletingLastPathComponent().deletingLastPathComponent()
    .appendingPathComponent("Fixtures/reference").path

  /// The repository.
  package static let repository = URL(fileURLWithPath: reference)
    .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent().path

  /// A file that `Tests/Fixtures/tables/make_tables.py` made.
  package static func table(_ name: String) throws -> Data {
    try Data(contentsOf: URL(fileURLWithPath: "\(repository)/Tests/Fixtures/tables/\(name)"))
  }

  /// The folder with what is too large or not ours for the repository.
  package static let external: String? = ProcessInfo.processInfo.environment["ROC_REFERENCE"]

  /// Why tests on external files are skipped.
  package static let externalReason = "ROC_REFERENCE is not set to the reference folder"

  /// The names of the checkpoints in the repository.
  package static let checkpoints = [
    "tiny-f32", "tiny-gqa-bf16", "tiny-multi-f32", "tiny-comment-f16", "tiny-f16-sharded-bin",
  ]

  /// The names of the checkpoints of other backbones, in `Tests/Fixtures/backbones`.
  package static let backbones = ["llava-hf-f32", "llava-original-f16", "qwen2vl-f32"]

  package static func backbone(_ name: String) -> String {
    "\(repository)/Tests/Fixtures/backbones/\(name)"
  }

  package static func path(_ name: String) -> String { "\(reference)/\(name)" }

  /// A JSON file below `reference`, or at an absolute path.
  package static func json(_ name: String) throws -> JSON {
    let file = name.hasPrefix("/") ? name : path(name)
    return try JSON.parse(try String(contentsOfFile: file, encoding: .utf8))
  }
}

/// A folder that vanishes with its last user.
package final class TemporaryFolder: Sendable {
  package let path: String

  package init() throws {
    path = NSTemporaryDirectory() + "roc-" + UUID().uuidString
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
  }

  deinit { try? FileManager.default.removeItem(atPath: path) }

  /// Writes a text file and gives its path; folders on the way are made.
  @discardableResult
  package func write(_ text: String, to name: String) throws -> String {
    try write(Data(text.utf8), to: name)
  }

  @discardableResult
  package func write(_ data: Data, to name: String) throws -> String {
    let file = URL(fileURLWithPath: "\(path)/\(name)")
    try FileManager.default.createDirectory(
      at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
    try data.write(to: file)
    return file.path
  }

  /// A copy of a fixture folder that may be changed.
  package func copy(_ fixture: String, as name: String) throws -> String {
    let target = "\(path)/\(name)"
    try FileManager.default.copyItem(atPath: Fixture.path(fixture), toPath: target)
    return target
  }
}
