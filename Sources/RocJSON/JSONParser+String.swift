extension JSONParser {
  /// A string, from its opening quote to its closing one.
  mutating func string() throws(JSONError) -> String {
    skip()
    var text: [UInt8] = []
    while true {
      guard let byte = next else { throw error("the text ends inside a string") }
      skip()
      switch byte {
      case UInt8(ascii: "\""):
        guard let result = String(validating: text, as: UTF8.self) else {
          throw error("a string that is not UTF-8")
        }
        return result
      case UInt8(ascii: "\\"): try escape(into: &text)
      case 0..<0x20:
        go(to: position - 1)
        throw error("a control character inside a string")
      default: text.append(byte)
      }
    }
  }

  private mutating func escape(into text: inout [UInt8]) throws(JSONError) {
    guard let byte = next else { throw error("the text ends inside a string") }
    skip()
    switch byte {
    case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): text.append(byte)
    case UInt8(ascii: "b"): text.append(0x08)
    case UInt8(ascii: "f"): text.append(0x0C)
    case UInt8(ascii: "n"): text.append(0x0A)
    case UInt8(ascii: "r"): text.append(0x0D)
    case UInt8(ascii: "t"): text.append(0x09)
    case UInt8(ascii: "u"):
      var code = try hexadecimal()
      if code >= 0xD800, code < 0xDC00, next == UInt8(ascii: "\\") {
        skip()
        guard next == UInt8(ascii: "u") else { throw error("half of a surrogate pair") }
        skip()
        let low = try hexadecimal()
        guard low >= 0xDC00, low < 0xE000 else { throw error("half of a surrogate pair") }
        code = 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00)
      }
      guard let scalar = UnicodeScalar(code) else { throw error("half of a surrogate pair") }
      text.append(contentsOf: String(Character(scalar)).utf8)
    default: throw error("an unknown escape in a string")
    }
  }

  private mutating func hexadecimal() throws(JSONError) -> UInt32 {
    var value: UInt32 = 0
    for _ in 0..<4 {
      guard let byte = next, let digit = Character(UnicodeScalar(byte)).hexDigitValue else {
        throw error("expected four hexadecimal digits")
      }
      value = value << 4 | UInt32(digit)
      skip()
    }
    return value
  }
}
