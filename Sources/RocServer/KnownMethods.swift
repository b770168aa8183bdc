import HTTPTypes
import Synchronization

/// Which methods addresses have, for those who ask by another one.
final class KnownMethods: Sendable {
  private struct Entry {
    /// What stands between slashes; `:name` stands for anything.
    let parts: [Substring]
    let method: HTTPRequest.Method
  }

  private let entries = Mutex<[Entry]>([])

  /// Learns all routes.
  func know(_ routes: [(path: String, method: HTTPRequest.Method)]) {
    entries.withLock { entries in
      entries = routes.map { Entry(parts: $0.path.split(separator: "/"), method: $0.method) }
    }
  }

  /// The methods of an address, as an `Allow` header lists them; nil where there is none.
  func allowed(_ path: String) -> String? {
    let parts = path.split(separator: "/")
    var found = entries.withLock { entries in
      entries.filter { entry in
        entry.parts.count == parts.count
          && zip(entry.parts, parts).allSatisfy { $0.hasPrefix(":") || $0 == $1 }
      }.map(\.method.rawValue)
    }
    // Who can read an address can ask for its headers alone.
    if found.contains("GET") { found.append("HEAD") }
    return found.isEmpty ? nil : Set(found).sorted().joined(separator: ", ")
  }
}
