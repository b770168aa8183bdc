extension Double {
  /// The number that a cell of a text file holds; nil for anything but a finite decimal number.
  ///
  /// Swift by itself also reads hexadecimal, `nan` and `infinity`.
  init?(decimal text: String) {
    guard !text.utf8.contains(where: { $0 | 0x20 == UInt8(ascii: "x") }),
      let value = Double(text), value.isFinite
    else { return nil }
    self = value
  }
}
