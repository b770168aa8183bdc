/// Turns pieces back into text as sentencepiece does.
struct PieceDecoder: Sendable {
  let model: SentencePieceModel

  /// - Parameters:
  ///   - ids: Pieces of the model, not added tokens.
  ///   - start: Text that is not a piece and stands verbatim before them.
  /// - Returns: The text; the first blank mark of the run vanishes, and bytes that are not UTF-8
  ///   become one U+FFFD each.
  func decode(_ ids: [Int], after start: String = "") -> String {
    var text = start
    var bytes: [UInt8] = []
    var sawLeadingBlank = false
    for id in ids {
      let piece = model.pieces[id]
      if piece.kind == .byte, let byte = UInt8(piece.text.dropFirst(3).dropLast(), radix: 16) {
        bytes.append(byte)
        continue
      }
      text += flush(&bytes)
      switch piece.kind {
      case .control: break
      case .unknown: text += " \u{2047} "
      default:
        var surface = piece.text[...]
        if !sawLeadingBlank, text.isEmpty, model.addsDummyPrefix,
          surface.unicodeScalars.first == "\u{2581}"
        {
          surface = Substring(surface.unicodeScalars.dropFirst())
          sawLeadingBlank = true
        }
        text.unicodeScalars.append(
          contentsOf: surface.unicodeScalars.map { $0 == "\u{2581}" ? " " : $0 })
      }
    }
    return text + flush(&bytes)
  }

  /// Each byte that starts no valid sequence becomes one U+FFFD.
  private func flush(_ bytes: inout [UInt8]) -> String {
    defer { bytes.removeAll() }
    var text = ""
    var rest = bytes[...]
    while let first = rest.first {
      let length = first < 0x80 ? 1 : first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4
      if let part = String(validating: rest.prefix(length), as: UTF8.self), !part.isEmpty {
        text += part
        rest = rest.dropFirst(length)
      } else {
        text += "\u{FFFD}"
        rest = rest.dropFirst()
      }
    }
    return text
  }
}
