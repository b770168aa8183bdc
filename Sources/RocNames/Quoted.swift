/// Text from outside for people's eyes: what would break a line, move the cursor, or turn what is
/// written around is escaped, as `ls -b` and git do.
package enum Quoted {
  /// The name as it is, or in double quotes with escapes where it holds such characters.
  package static func name(_ text: String) -> String {
    guard text.unicodeScalars.contains(where: isControl) else { return text }
    var result = "\""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\n": result += "\\n"
      case "\t": result += "\\t"
      case "\r": result += "\\r"
      case "\"": result += "\\\""
      case "\\": result += "\\\\"
      case _ where isControl(scalar): result += octal(scalar)
      default: result.unicodeScalars.append(scalar)
      }
    }
    return result + "\""
  }

  /// Whether a character has no place in any text, names with line ends included.
  package static func isHarmful(_ scalar: Unicode.Scalar) -> Bool {
    isControl(scalar) && scalar != "\n" && scalar != "\t" && scalar != "\r"
  }

  /// A text of several lines whose line ends and tabs are meant; other such characters are escaped.
  package static func text(_ text: String) -> String {
    func isHarmful(_ scalar: Unicode.Scalar) -> Bool { Self.isHarmful(scalar) || scalar == "\r" }
    guard text.unicodeScalars.contains(where: isHarmful) else { return text }
    var result = ""
    for scalar in text.unicodeScalars {
      if isHarmful(scalar) {
        result += octal(scalar)
      } else {
        result.unicodeScalars.append(scalar)
      }
    }
    return result
  }

  private static func octal(_ scalar: Unicode.Scalar) -> String {
    String(Character(scalar)).utf8.map { byte in
      let octal = String(byte, radix: 8)
      return "\\" + String(repeating: "0", count: 3 - octal.count) + octal
    }.joined()
  }

  /// Control characters, line separators, and marks that change the direction of what follows
  /// (https://www.unicode.org/reports/tr9/).
  package static func isControl(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar.value {
    case 0..<0x20, 0x7F...0x9F, 0x61C, 0x200E, 0x200F, 0x2028...0x202E, 0x2066...0x2069, 0xFEFF:
      true
    default: false
    }
  }
}
