import RocFiles
import RocNames

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// Finds checkpoints that Hugging Face's tools have downloaded.
///
/// Layout: https://huggingface.co/docs/huggingface_hub/guides/manage-cache
package enum HubCache {
  /// The folder that `name` stands for: a path, or `owner/model` in the local cache.
  ///
  /// - Throws: `CheckpointError` with the command that downloads it.
  package static func resolve(_ name: String) throws(CheckpointError) -> String {
    guard !fileExists(name), isHubName(name) else { return name }
    let folder = "\(cacheFolder)/models--\(name.split(separator: "/").joined(separator: "--"))"
    let reference = "\(folder)/refs/main"
    if let revision = try? MappedFile(path: reference).text {
      let snapshot = "\(folder)/snapshots/\(revision.filter { !$0.isWhitespace })"
      if fileExists(snapshot) { return snapshot }
    }
    // A download of one revision leaves no reference.
    let snapshots = folderEntries("\(folder)/snapshots")
    if snapshots.count == 1 { return "\(folder)/snapshots/\(snapshots[0])" }
    throw CheckpointError(
      """
      \(name): there is no such folder, and no such model in the Hugging Face cache at \
      \(cacheFolder); download it with: huggingface-cli download \(name)
      """)
  }

  /// The SHA-256 that the cache has for a file: large ones are called by it, and what is in a
  /// snapshot is a link to them.
  ///
  /// - Parameter path: A file, or a link to it.
  /// - Returns: Nil for a file that does not lie in such a cache.
  static func digest(of path: String) -> String? {
    let real = absolutePath(path)
    let parts = PathName.parts(real)
    guard parts.count > 1, parts[parts.count - 2] == "blobs", let name = parts.last,
      name.utf8.count == 64,
      name.utf8.allSatisfy({ (0x30...0x39).contains($0) || (0x61...0x66).contains($0) })
    else { return nil }
    return name
  }

  /// Two parts of letters, digits, '-', '_' and '.'.
  private static func isHubName(_ name: String) -> Bool {
    let parts = name.split(separator: "/", omittingEmptySubsequences: false)
    return parts.count == 2
      && parts.allSatisfy { part in
        !part.isEmpty && part.first != "."
          && part.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || "-_.".contains($0)) }
      }
  }

  private static var cacheFolder: String {
    func variable(_ name: String) -> String? {
      getenv(name).map { String(cString: $0) }.flatMap { $0.isEmpty ? nil : $0 }
    }
    let cache = variable("XDG_CACHE_HOME") ?? "\(variable("HOME") ?? "")/.cache"
    return variable("HF_HUB_CACHE") ?? variable("HUGGINGFACE_HUB_CACHE")
      ?? "\(variable("HF_HOME") ?? "\(cache)/huggingface")/hub"
  }
}
