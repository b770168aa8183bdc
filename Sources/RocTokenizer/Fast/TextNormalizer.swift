import RocJSON

#if canImport(Darwin)
import Foundation
#else
@_spi(_Unicode) import Swift
#endif

/// What is done to text before pieces are looked for.
struct TextNormalizer: Sendable {
  enum Step: Sendable {
    /// Unicode's normal form C.
    case composed
    /// A blank mark before a text that is not empty.
    case leadingMark
    /// Blank marks for blanks.
    case marks
  }

  static let mark: Unicode.Scalar = "\u{2581}"

  let steps: [Step]

  /// - Parameter field: `normalizer` of `tokenizer.json`: null, one step or a sequence of them.
  /// - Throws: `TokenizerError` naming a step that is not known.
  init(_ field: JSONField) throws(TokenizerError) {
    guard !field.isAbsent else {
      steps = []
      return
    }
    guard try field["type"].text() == "Sequence" else {
      steps = [try Self.step(field)]
      return
    }
    try field.expect(onlyKeys: ["type", "normalizers"])
    var steps: [Step] = []
    for element in try field["normalizers"].elements() { steps.append(try Self.step(element)) }
    self.steps = steps
  }

  init(_ steps: [Step]) { self.steps = steps }

  private static func step(_ field: JSONField) throws(TokenizerError) -> Step {
    switch try field["type"].text() {
    case "NFC":
      try field.expect(["type": "NFC"])
      return .composed
    case "Prepend":
      try field.expect(["type": "Prepend", "prepend": "\u{2581}"])
      return .leadingMark
    case "Replace":
      try field.expect(["type": "Replace", "pattern": ["String": " "], "content": "\u{2581}"])
      return .marks
    default: throw field["type"].refusal("NFC, Prepend or Replace")
    }
  }

  func callAsFunction(_ text: ArraySlice<Unicode.Scalar>) -> [Unicode.Scalar] {
    var text = Array(text)
    for step in steps {
      switch step {
      case .composed: text = Self.compose(text)
      case .leadingMark: if !text.isEmpty { text.insert(Self.mark, at: 0) }
      case .marks: text = text.map { $0 == " " ? Self.mark : $0 }
      }
    }
    return text
  }

  private static func compose(_ text: [Unicode.Scalar]) -> [Unicode.Scalar] {
    // Nothing below U+0300 combines with what stands before it.
    guard text.contains(where: { $0.value >= 0x300 }) else { return text }
    var string = String.UnicodeScalarView()
    for scalar in text {
      // The only marks that decompose into two: the standard library leaves them where they stand.
      switch scalar.value {
      case 0x344: string.append(contentsOf: ["\u{308}", "\u{301}"])
      case 0xF73: string.append(contentsOf: ["\u{F71}", "\u{F72}"])
      case 0xF75: string.append(contentsOf: ["\u{F71}", "\u{F74}"])
      case 0xF81: string.append(contentsOf: ["\u{F71}", "\u{F80}"])
      default: string.append(scalar)
      }
    }
    #if canImport(Darwin)
    return Array(String(string).precomposedStringWithCanonicalMapping.unicodeScalars)
    #else
    return Array(String(string)._nfc)
    #endif
  }
}
