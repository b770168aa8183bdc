/// The tags and texts of an XML file in order; names without their namespace prefix.
///
/// Enough for spreadsheets: no document types, so no entities but the five predefined and the
/// numeric ones, and nothing that could grow when it is expanded.
struct XMLTokens: Sequence, IteratorProtocol {
  enum Token: Equatable {
    case open(String, [String: String])
    case close(String)
    case text(String)
  }

  private let bytes: [UInt8]
  private var position = 0
  private var pending: Token?

  init(_ bytes: [UInt8]) { self.bytes = bytes }

  mutating func next() -> Token? {
    if let token = pending {
      pending = nil
      return token
    }
    while position < bytes.count {
      guard bytes[position] == UInt8(ascii: "<") else {
        let end = bytes[position...].firstIndex(of: UInt8(ascii: "<")) ?? bytes.count
        let text = Self.unescaped(bytes[position..<end])
        position = end
        return .text(text)
      }
      let end = bytes[position...].firstIndex(of: UInt8(ascii: ">")) ?? bytes.count - 1
      let tag = bytes[(position + 1)..<Swift.max(end, position + 1)]
      position = end + 1
      guard let first = tag.first, first != UInt8(ascii: "?"), first != UInt8(ascii: "!") else {
        continue
      }
      if first == UInt8(ascii: "/") { return .close(Self.local(tag.dropFirst())) }
      let isEmpty = tag.last == UInt8(ascii: "/")
      let body = isEmpty ? tag.dropLast() : tag
      let name = body.prefix { !Self.isBlank($0) }
      let token = Token.open(Self.local(name), Self.attributes(body.dropFirst(name.count)))
      if isEmpty { pending = .close(Self.local(name)) }
      return token
    }
    return nil
  }

  private static func isBlank(_ byte: UInt8) -> Bool {
    byte == 0x20 || byte == 0x09 || byte == 0x0A || byte == 0x0D
  }

  private static func local(_ name: ArraySlice<UInt8>) -> String {
    let bare = name.split(separator: UInt8(ascii: ":")).last ?? name
    return String(decoding: bare.prefix { !isBlank($0) }, as: UTF8.self)
  }

  private static func attributes(_ text: ArraySlice<UInt8>) -> [String: String] {
    var result: [String: String] = [:]
    var rest = text.drop(while: isBlank)
    while let equals = rest.firstIndex(of: UInt8(ascii: "=")) {
      let name = local(rest[..<equals])
      let after = rest[(equals + 1)...].drop(while: isBlank)
      guard let quote = after.first, quote == 0x22 || quote == 0x27,
        let end = after.dropFirst().firstIndex(of: quote)
      else { break }
      result[name] = unescaped(after[(after.startIndex + 1)..<end])
      rest = after[(end + 1)...].drop(while: isBlank)
    }
    return result
  }

  private static func unescaped(_ bytes: ArraySlice<UInt8>) -> String {
    guard bytes.contains(UInt8(ascii: "&")) else { return String(decoding: bytes, as: UTF8.self) }
    // By bytes: a combining mark after a semicolon is not part of it.
    var result: [UInt8] = []
    var rest = bytes
    while let mark = rest.firstIndex(of: UInt8(ascii: "&")) {
      result += rest[..<mark]
      guard let end = rest[mark...].firstIndex(of: UInt8(ascii: ";")) else {
        rest = rest[mark...]
        break
      }
      let name = String(decoding: rest[(mark + 1)..<end], as: UTF8.self)
      result += character(Substring(name)).map { Array($0.utf8) } ?? Array(rest[mark...end])
      rest = rest[(end + 1)...]
    }
    return String(decoding: result + rest, as: UTF8.self)
  }

  private static func character(_ name: Substring) -> String? {
    switch name {
    case "amp": return "&"
    case "lt": return "<"
    case "gt": return ">"
    case "quot": return "\""
    case "apos": return "'"
    default:
      let number =
        name.hasPrefix("#x")
        ? UInt32(name.dropFirst(2), radix: 16)
        : name.hasPrefix("#") ? UInt32(name.dropFirst()) : nil
      return number.flatMap(Unicode.Scalar.init).map { String(Character($0)) }
    }
  }
}
