extension Double {
  /// The number that a cell of a text file holds; nil for anything but a finite decimal number.
  ///
  /// Swift's own initializer also reads hexadecimal, `nan` and `infinity`.
  package init?(decimal text: String) {
    guard !text.utf8.contains(where: { $0 | 0x20 == UInt8(ascii: "x") }),
      let value = Double(text), value.isFinite
    else { return nil }
    self = value
  }
}

extension String {
  /// The text without blanks and tabs at either end.
  package var trimmingBlanks: String {
    let isBlank = { (byte: UInt8) in byte == 0x20 || byte == 0x09 }
    let bytes = utf8
    guard bytes.first.map(isBlank) ?? false || bytes.last.map(isBlank) ?? false else {
      return self
    }
    var rest = bytes[...]
    while let first = rest.first, isBlank(first) { rest = rest.dropFirst() }
    while let last = rest.last, isBlank(last) { rest = rest.dropLast() }
    return String(decoding: rest, as: UTF8.self)
  }
}
