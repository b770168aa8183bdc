/// Names on one line: what would break it or reach the terminal is escaped, as `ls -b` and git do.
package enum Quoted {
  /// The name as it is, or in double quotes with escapes where it holds control characters.
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
      case _ where isControl(scalar):
        for byte in String(Character(scalar)).utf8 {
          let octal = String(byte, radix: 8)
          result += "\\" + String(repeating: "0", count: 3 - octal.count) + octal
        }
      default: result.unicodeScalars.append(scalar)
      }
    }
    return result + "\""
  }

  private static func isControl(_ scalar: Unicode.Scalar) -> Bool {
    scalar.value < 0x20 || (0x7F...0x9F).contains(scalar.value)
  }
}
