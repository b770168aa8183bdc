import RocNames

/// What follows the question mark of an address.
package struct Query: Sendable, Equatable {
  package private(set) var items: [(name: String, value: String)] = []

  package init(_ text: String = "") {
    for pair in text.utf8.split(separator: UInt8(ascii: "&")) {
      let parts = pair.split(
        separator: UInt8(ascii: "="), maxSplits: 1, omittingEmptySubsequences: false)
      items.append(
        (
          Self.decoded(parts[0], plusIsBlank: true),
          parts.count > 1 ? Self.decoded(parts[1], plusIsBlank: true) : ""
        ))
    }
  }

  /// The last value of that name that is not empty.
  package subscript(name: String) -> String? {
    items.last { $0.name == name && !$0.value.isEmpty }?.value
  }

  /// The same with one value set; nil takes it out.
  package func with(_ name: String, _ value: String?) -> Query {
    var result = self
    result.items.removeAll { $0.name == name }
    if let value { result.items.append((name, value)) }
    return result
  }

  /// With its question mark; empty for none.
  package var text: String {
    let pairs = items.filter { !$0.value.isEmpty }.map {
      "\(Self.encoded($0.name))=\(Self.encoded($0.value))"
    }
    return pairs.isEmpty ? "" : "?" + pairs.joined(separator: "&")
  }

  package static func == (a: Query, b: Query) -> Bool { a.text == b.text }

  /// Percent-encoded, byte by byte, for a part of an address.
  package static func encoded(_ text: String) -> String {
    let hex = Array("0123456789ABCDEF".utf8)
    var bytes: [UInt8] = []
    for byte in text.utf8 {
      switch byte {
      case UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "a")...UInt8(ascii: "z"),
        UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."),
        UInt8(ascii: "_"), UInt8(ascii: "~"):
        bytes.append(byte)
      default: bytes += [UInt8(ascii: "%"), hex[Int(byte >> 4)], hex[Int(byte & 15)]]
      }
    }
    return String(decoding: bytes, as: UTF8.self)
  }

  /// What percent-encoding stands for; a percent sign without two digits is itself.
  package static func decoded(
    _ text: Substring.UTF8View, plusIsBlank: Bool = false
  ) -> String {
    Percent.decoded(text, plusIsBlank: plusIsBlank)
  }
}
