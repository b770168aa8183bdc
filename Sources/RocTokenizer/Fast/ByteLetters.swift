/// The letters that stand for bytes in byte-level vocabularies.
///
/// Printable Latin-1 characters stand for themselves, all other bytes for U+0100 and the letters
/// that follow it, so a piece never holds a blank or a control character.
enum ByteLetters {
  /// The letter of each byte.
  static let letters: [Unicode.Scalar] = {
    var letters: [Unicode.Scalar] = []
    var spare: UInt32 = 0x100
    for byte in UInt8.min...UInt8.max {
      switch byte {
      case 0x21...0x7E, 0xA1...0xAC, 0xAE...0xFF: letters.append(Unicode.Scalar(byte))
      default:
        letters.append(Unicode.Scalar(spare) ?? Unicode.Scalar(byte))
        spare += 1
      }
    }
    return letters
  }()

  private static let bytes = Dictionary(
    uniqueKeysWithValues: zip(letters, UInt8.min...UInt8.max))

  /// Letters for the UTF-8 bytes of a text.
  static func spell(_ text: ArraySlice<Unicode.Scalar>) -> [Unicode.Scalar] {
    var spelled: [Unicode.Scalar] = []
    spelled.reserveCapacity(text.count)
    for scalar in text {
      for byte in UTF8.encode(scalar) ?? .init() { spelled.append(letters[Int(byte)]) }
    }
    return spelled
  }

  /// The bytes that letters stand for; nil where one of them stands for none.
  static func read(_ text: String) -> [UInt8]? {
    var read: [UInt8] = []
    for scalar in text.unicodeScalars {
      guard let byte = bytes[scalar] else { return nil }
      read.append(byte)
    }
    return read
  }
}
