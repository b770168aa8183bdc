/// Parts of paths, cut at bytes: a combining mark after a slash or a dot forms one character with
/// it in Swift, but not in a file system.
package enum PathName {
  private static let slash = UInt8(ascii: "/")
  private static let dot = UInt8(ascii: ".")

  /// What follows the last slash.
  package static func base(_ path: String) -> String {
    guard let place = path.utf8.lastIndex(of: slash) else { return path }
    return String(path[path.utf8.index(after: place)...])
  }

  /// What precedes the last slash; empty where there is none.
  package static func folder(_ path: String) -> String {
    guard let place = path.utf8.lastIndex(of: slash) else { return "" }
    return String(path[..<place])
  }

  /// The letters after the last dot of the base name, in lower case; empty where there are none.
  package static func ending(_ path: String) -> String {
    let name = base(path)
    guard let place = name.utf8.lastIndex(of: dot), place != name.startIndex else { return "" }
    return name[name.utf8.index(after: place)...].lowercased()
  }

  /// The endings of picture files.
  package static let pictureEndings: Set<String> = [
    "jpg", "jpeg", "jpe", "jfif", "png", "webp", "bmp", "gif", "tif", "tiff", "heic", "heif",
    "avif", "jp2", "jxl", "ppm", "pgm",
  ]

  /// A path without a picture's ending; other dots belong to the name.
  package static func stem(_ path: String) -> String {
    let ending = ending(path)
    guard pictureEndings.contains(ending) else { return path }
    return String(decoding: path.utf8.dropLast(ending.utf8.count + 1), as: UTF8.self)
  }

  /// The path with slashes for backslashes and without `./` at its start.
  package static func slashed(_ path: String) -> String {
    let path = withSlashes(path)
    var bytes = path.utf8[...]
    while bytes.starts(with: [dot, slash]) { bytes = bytes.dropFirst(2) }
    return String(Substring(bytes))
  }

  /// The path with slashes for the backslashes that Windows writes.
  package static func withSlashes(_ path: String) -> String {
    let backslash = UInt8(ascii: "\\")
    guard path.utf8.contains(backslash) else { return path }
    return String(decoding: path.utf8.map { $0 == backslash ? slash : $0 }, as: UTF8.self)
  }

  /// The parts between slashes.
  package static func parts(_ path: String) -> [String] {
    path.utf8.split(separator: slash).map { String(Substring($0)) }
  }
}

/// Whole numbers that a spreadsheet wrote as decimal ones.
package enum NumberedName {
  /// `953619` for `953619.0` and `9.53619E+05`, whose digits say all of it.
  ///
  /// - Returns: Nil for a text that is no such number.
  package static func whole(_ text: String) -> String? {
    guard let (digits, point, exponent) = parse(text) else { return nil }
    let shift = point + exponent
    guard shift >= 1, shift <= 18 else { return nil }
    let kept = digits.prefix(shift)
    guard digits.dropFirst(shift).allSatisfy({ $0 == 0x30 }) else { return nil }
    // Fewer digits than the number has: the others are lost.
    guard digits.count >= shift else { return nil }
    return String(decoding: kept, as: UTF8.self)
  }

  /// Whether digits of a number are lost, as in `9.5362E+05`.
  package static func isRounded(_ text: String) -> Bool {
    guard let (digits, point, exponent) = parse(text), exponent > 0 else { return false }
    return digits.count < point + exponent
  }

  /// Digits, the place of the point among them, and the exponent.
  private static func parse(_ text: String) -> (digits: [UInt8], point: Int, exponent: Int)? {
    var digits: [UInt8] = []
    var point: Int?
    var bytes = Array(text.utf8)[...]
    while let byte = bytes.first, byte == UInt8(ascii: ".") || (0x30...0x39).contains(byte) {
      bytes = bytes.dropFirst()
      if byte != UInt8(ascii: ".") {
        digits.append(byte)
      } else if point == nil {
        point = digits.count
      } else {
        return nil
      }
    }
    var exponent = 0
    if let mark = bytes.first {
      guard mark | 0x20 == UInt8(ascii: "e") else { return nil }
      var rest = bytes.dropFirst()
      if rest.first == UInt8(ascii: "+") { rest = rest.dropFirst() }
      guard (1...3).contains(rest.count), rest.allSatisfy({ (0x30...0x39).contains($0) }),
        let value = Int(String(decoding: rest, as: UTF8.self))
      else { return nil }
      exponent = value
    } else if point == nil {
      return nil
    }
    let place = point ?? digits.count
    // Digits stand on both sides of the point; with an exponent, those before it are enough.
    guard place >= 1, exponent > 0 || digits.count > place else { return nil }
    return (digits, place, exponent)
  }
}
