import RocNames
import RocScore

/// A piece of a page.
///
/// What is interpolated is escaped unless it is a piece itself, so that no name, comment or message
/// from outside can become markup.
///
/// Attributes stand in double quotes: escaping knows no others.
package struct HTML: Sendable, ExpressibleByStringInterpolation {
  package private(set) var text: String

  package struct StringInterpolation: StringInterpolationProtocol {
    fileprivate var text = ""

    package init(literalCapacity: Int, interpolationCount: Int) {
      text.reserveCapacity(literalCapacity + 32 * interpolationCount)
    }

    package mutating func appendLiteral(_ literal: String) { text += literal }

    /// Text from anywhere.
    package mutating func appendInterpolation(_ value: String) { text += Escaped.xml(value) }

    package mutating func appendInterpolation(_ value: Int) { text += "\(value)" }

    package mutating func appendInterpolation(_ value: HTML) { text += value.text }

    package mutating func appendInterpolation(_ values: [HTML]) {
      for value in values { text += value.text }
    }

    /// Nothing for nil.
    package mutating func appendInterpolation(_ value: HTML?) { text += value?.text ?? "" }
  }

  package init(stringLiteral value: String) { text = value }

  package init(stringInterpolation: StringInterpolation) { text = stringInterpolation.text }

  /// Markup that roc itself wrote, such as a figure.
  package init(own text: String) { self.text = text }
}

/// Numbers as pages show them.
package enum Shown {
  /// With a thin space between thousands.
  package static func count(_ value: Int) -> String {
    var digits = String(abs(value))
    var result = ""
    while digits.count > 3 {
      result = "\u{202F}" + digits.suffix(3) + result
      digits.removeLast(3)
    }
    return (value < 0 ? "−" : "") + digits + result
  }

  /// A number of things with their name.
  package static func count(_ value: Int, _ one: String, _ many: String) -> String {
    "\(count(value)) \(value == 1 ? one : many)"
  }

  /// Of a score.
  package static func score(_ value: Double?) -> String {
    guard let value, value.isFinite else { return "–" }
    return signed(fixed(value, 3))
  }

  /// Of anything measured.
  package static func number(_ value: Double?, _ decimals: Int) -> String {
    guard let value, value.isFinite else { return "–" }
    return signed(fixed(value, decimals))
  }

  private static func signed(_ text: String) -> String {
    guard text.hasPrefix("-") else { return text }
    // What rounds to nothing has no sign.
    return (text.contains { ("1"..."9").contains($0) } ? "−" : "") + text.dropFirst()
  }
}
