/// Numbers as JSON arrays in text columns, with full precision.
enum NumberText {
  static func encode(_ values: [Double]) -> String {
    "[" + values.map(\.description).joined(separator: ",") + "]"
  }

  static func encode(rows: [[Double]]) -> String {
    "[" + rows.map(encode).joined(separator: ",") + "]"
  }

  static func decode(_ text: String) -> [Double] {
    text.split { "[], ".contains($0) }.compactMap { Double($0) }
  }

  static func decodeRows(_ text: String) -> [[Double]] {
    text.dropFirst().dropLast().split(separator: "]").map { decode(String($0)) }
  }
}
