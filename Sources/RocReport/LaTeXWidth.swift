import RocNames

/// How wide texts are in LaTeX's Computer Modern, near enough to know what has room.
enum LaTeXWidth {
  /// Inches of an em in the sizes of a 10-point document: footnotesize, scriptsize and small.
  static let footnotesize = 8 / 72.27
  static let scriptsize = 7 / 72.27
  static let small = 9 / 72.27
  /// The text of AAAI's pages and one of their columns, in inches.
  static let page = 7.0
  static let column = 3.3

  /// The width of a text in ems; digits as in bold, where they are widest.
  static func ems(_ text: String) -> Double {
    text.unicodeScalars.reduce(0) { $0 + ems($1) }
  }

  private static func ems(_ scalar: Unicode.Scalar) -> Double {
    switch scalar {
    case "0"..."9": 0.575
    case ".", ",", ":", ";", "'", "!", "i", "l", "j", "|": 0.31
    case "-", "(", ")", "[", "]", "/", "t", "f", "r", "s", "I": 0.42
    case " ": 0.36
    case "m", "w", "M", "W", "+", "=", "<", ">", "%", "−", "@", "&": 0.95
    case "A"..."Z", "↑", "↓": 0.74
    default: 0.56
    }
  }

  /// A name as it is, or in a paragraph where there is no room for it on one line.
  ///
  /// - Parameters:
  ///   - text: Not escaped.
  ///   - room: Inches that the other columns leave.
  ///   - em: Inches of an em.
  ///   - width: The paragraph's, in inches; computed from the room when nil.
  ///   - alignment: The command that aligns its lines.
  /// - Returns: LaTeX that needs no package.
  static func name(
    _ text: String, room: Double, em: Double, width: Double? = nil,
    alignment: String = "\\raggedright"
  ) -> String {
    guard ems(text) * em > room else { return Escaped.latex(text) }
    let width = width ?? max(room * 0.85, 0.7)
    var result = ""
    var used = 0.0
    for character in text {
      let own = ems(String(character)) * em
      // Names of checkpoints have no blanks to break at, and some not even a hyphen.
      if used + own > width - 0.1 {
        result += "\\allowbreak{}"
        used = 0
      }
      used = character == " " ? 0 : used + own
      result += Escaped.latex(String(character))
      if "-_/.:,".contains(character) { result += "\\allowbreak{}" }
    }
    return "\\parbox[t]{\(hundredths(width))in}{\(alignment) \(result)\\strut}"
  }

  private static func hundredths(_ value: Double) -> String {
    let whole = Int((value * 100).rounded(.down))
    return "\(whole / 100).\(whole % 100 < 10 ? "0" : "")\(whole % 100)"
  }
}
