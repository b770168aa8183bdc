/// Percent-encoding (RFC 3986, section 2.1).
package enum Percent {
  private static func isHexadecimal(_ byte: UInt8) -> Bool {
    Character(UnicodeScalar(byte)).isHexDigit
  }

  /// What it stands for; a percent sign without two digits is itself.
  package static func decoded(
    _ text: Substring.UTF8View, plusIsBlank: Bool = false
  ) -> String {
    var bytes: [UInt8] = []
    var rest = text[...]
    while let byte = rest.popFirst() {
      if byte == UInt8(ascii: "+"), plusIsBlank {
        bytes.append(0x20)
      } else if byte == UInt8(ascii: "%"), rest.prefix(2).allSatisfy(isHexadecimal),
        rest.prefix(2).count == 2,
        let value = UInt8(String(decoding: rest.prefix(2), as: UTF8.self), radix: 16)
      {
        bytes.append(value)
        rest = rest.dropFirst(2)
      } else {
        bytes.append(byte)
      }
    }
    return String(decoding: bytes, as: UTF8.self)
  }
}
