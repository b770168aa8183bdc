import RocTables
import Yams

/// What a manifest of a few lines need not say.
enum ManifestDefaults {
  /// The manifest with what is missing: a table of paths and scores, higher is better, divided by
  /// hash unless its files say how.
  static func filled(_ yaml: String) throws -> Node {
    guard let node = try Yams.compose(yaml: yaml), var root = node.mapping else {
      throw DataError("expected keys and values")
    }
    func fill(_ key: String, _ value: Node, in mapping: inout Node.Mapping) {
      if mapping[Node(key)] == nil { mapping[Node(key)] = value }
    }
    fill("title", root[Node("name")] ?? Node("table"), in: &root)
    fill("importer", "table", in: &root)
    for key in ["source", "licence", "citation"] { fill(key, "not stated", in: &root) }
    fill("images", ["name": "{id}"], in: &root)
    if var score = root[Node("score")]?.mapping {
      fill("description", "as in the files", in: &score)
      fill("direction", "higher", in: &score)
      root[Node("score")] = .mapping(score)
    }
    if root[Node("default_scheme")] == nil {
      if schemes(root).isEmpty {
        fill("seeded", ["scheme": "seeded", "seed": 1, "test": 0.2], in: &root)
      }
      let scheme = schemes(root).first ?? "seeded"
      root[Node("default_scheme")] = Node(scheme)
    }
    return .mapping(root)
  }

  /// The schemes that tables or a rule give, in their order.
  private static func schemes(_ root: Node.Mapping) -> [String] {
    var names: [String] = []
    for table in root[Node("tables")]?.sequence ?? [] {
      if let part = table["part"]?.string { names.append(String(part.prefix { $0 != "/" })) }
      if let scheme = table["part_column"]?["scheme"]?.string { names.append(scheme) }
    }
    if let scheme = root[Node("seeded")]?["scheme"]?.string { names.append(scheme) }
    return names
  }
}

/// Errors of YAML in words.
package enum YAMLReason {
  /// Characters of a line that is quoted.
  private static let longest = 200

  /// An error of the decoder in words: which key, and what is wrong with it.
  ///
  /// Lines of the file that it quotes are cut.
  package static func text(_ error: any Error) -> String {
    words(error).split(separator: "\n", omittingEmptySubsequences: false).map { line in
      line.count > longest ? "\(line.prefix(longest))…" : String(line)
    }.joined(separator: "\n")
  }

  private static func words(_ error: any Error) -> String {
    func place(_ path: [any CodingKey], _ key: (any CodingKey)? = nil) -> String {
      (path + (key.map { [$0] } ?? [])).map { key in
        key.intValue.map { "[\($0)]" } ?? ".\(key.stringValue)"
      }.joined().trimmingPrefix(".").description
    }
    switch error as? DecodingError {
    case .keyNotFound(let key, let context):
      return "\(place(context.codingPath, key)) is missing"
    case .typeMismatch(let type, let context):
      return "\(place(context.codingPath)) is no \(type)".lowercased()
    case .valueNotFound(_, let context): return "\(place(context.codingPath)) is empty"
    case .dataCorrupted(let context):
      let inner = context.underlyingError.map { "\($0)" } ?? context.debugDescription
      return context.codingPath.isEmpty ? inner : "\(place(context.codingPath)): \(inner)"
    default: return (error as? DataError)?.message ?? "\(error)"
    }
  }
}
