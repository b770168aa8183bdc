/// Text made harmless for a format.
package enum Escaped {
  /// A CSV field, in quotes where it must be (RFC 4180).
  package static func csv(_ field: String) -> String {
    guard field.utf8.contains(where: { [0x22, 0x2C, 0x0A, 0x0D].contains($0) }) else {
      return field
    }
    return "\"\(field.replacingBytes(of: "\"", with: "\"\""))\""
  }

  /// Text or an attribute's value in HTML, SVG or XML.
  package static func xml(_ text: String) -> String {
    let names: [UInt8: String] = [0x26: "&amp;", 0x3C: "&lt;", 0x3E: "&gt;", 0x22: "&quot;"]
    guard text.utf8.contains(where: { names[$0] != nil }) else { return text }
    var bytes: [UInt8] = []
    for byte in text.utf8 {
      if let name = names[byte] { bytes += name.utf8 } else { bytes.append(byte) }
    }
    return String(decoding: bytes, as: UTF8.self)
  }

  /// A cell of a Markdown table.
  package static func markdown(_ text: String) -> String {
    text.replacingBytes(of: "|", with: "\\|").replacingBytes(of: "\n", with: " ")
  }

  /// Text with LaTeX's special characters made harmless.
  package static func latex(_ text: String) -> String {
    var result = String.UnicodeScalarView()
    func add(_ text: String) { result.append(contentsOf: text.unicodeScalars) }
    for character in text.unicodeScalars {
      switch character {
      case "\\": add("\\textbackslash{}")
      case "~": add("\\textasciitilde{}")
      case "^": add("\\textasciicircum{}")
      case "<", ">", "|": add("$\(character)$")
      case "&", "%", "$", "#", "_", "{", "}": add("\\\(character)")
      default: result.append(character)
      }
    }
    return String(result)
  }
}
