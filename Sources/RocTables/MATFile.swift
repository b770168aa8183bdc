import CZlib
import RocFiles

/// The variables of a MATLAB 5 file (.mat up to version 7; MathWorks, "MAT-File Format").
///
/// Sizes in the file are checked against the bytes that are there before anything is made of them.
package struct MATFile {
  package indirect enum Value {
    /// Real numbers of any class, column by column, with the dimensions.
    case numbers([Double], [Int])
    case text(String)
    case cells([Value])
    /// Structures, sparse and complex arrays: not read, since no label file has them.
    case other(String)
  }

  /// The most bytes that a compressed variable may unpack to.
  private static let limit = 1 << 30
  private static let deepest = 8

  package private(set) var variables: [String: Value] = [:]

  /// - Throws: `DataError` when the file is not a MATLAB 5 file or is damaged.
  package init(_ path: String, name: String) throws(DataError) {
    let file = try MappedFile.ofData(path)
    let bytes = file.withBytes { Array($0) }
    guard bytes.count >= 128 else {
      throw DataError("\(name): not a MATLAB file: \(bytes.count) bytes")
    }
    if bytes.starts(with: Array("MATLAB 7.3".utf8)) || bytes.starts(with: [0x89, 0x48, 0x44, 0x46])
    {
      throw DataError(
        "\(name): a MATLAB 7.3 (HDF5) file; save it in MATLAB with -v7 and import that")
    }
    let order = (bytes[126], bytes[127])
    let isBig: Bool
    switch order {
    case (UInt8(ascii: "I"), UInt8(ascii: "M")): isBig = false
    case (UInt8(ascii: "M"), UInt8(ascii: "I")): isBig = true
    default: throw DataError("\(name): not a MATLAB 5 file: no byte order mark at byte 126")
    }
    var reader = Reader(bytes: bytes[128...], isBig: isBig, name: name)
    while !reader.isAtEnd {
      if let (name, value) = try reader.variable(depth: 0) { variables[name] = value }
    }
  }

  private enum Kind: UInt32 {
    case int8 = 1
    case uint8
    case int16
    case uint16
    case int32
    case uint32
    case single
    case double = 9
    case int64 = 12
    case uint64
    case matrix
    case compressed
    case utf8
    case utf16
    case utf32

    var width: Int {
      switch self {
      case .int8, .uint8, .utf8, .matrix, .compressed: 1
      case .int16, .uint16, .utf16: 2
      case .int32, .uint32, .single, .utf32: 4
      case .double, .int64, .uint64: 8
      }
    }
  }

  private struct Reader {
    var bytes: ArraySlice<UInt8>
    let isBig: Bool
    let name: String

    var isAtEnd: Bool { bytes.isEmpty }

    func broken(_ reason: String) -> DataError {
      DataError("\(name): damaged MATLAB file: \(reason)")
    }

    mutating func take(_ count: Int) throws(DataError) -> ArraySlice<UInt8> {
      guard count >= 0, count <= bytes.count else {
        throw broken("\(count) bytes announced, \(bytes.count) are left")
      }
      defer { bytes = bytes.dropFirst(count) }
      return bytes.prefix(count)
    }

    func integer(_ part: ArraySlice<UInt8>) -> UInt64 {
      (isBig ? Array(part) : part.reversed()).reduce(0) { $0 << 8 | UInt64($1) }
    }

    /// The next element: its type and data.
    mutating func element() throws(DataError) -> (Kind, ArraySlice<UInt8>) {
      let word = UInt32(truncatingIfNeeded: integer(try take(4)))
      func kind(_ code: UInt32) throws(DataError) -> Kind {
        guard let kind = Kind(rawValue: code) else { throw broken("an element of type \(code)") }
        return kind
      }
      if word >> 16 != 0 {
        // Four bytes or fewer are stored in the tag itself.
        let data = try take(4)
        guard word >> 16 <= 4 else { throw broken("a small element of \(word >> 16) bytes") }
        return (try kind(word & 0xFFFF), data.prefix(Int(word >> 16)))
      }
      let count = Int(integer(try take(4)))
      let data = try take(count)
      let found = try kind(word)
      // Elements are padded to multiples of 8, except compressed ones.
      if found != .compressed { bytes = bytes.dropFirst((8 - count % 8) % 8) }
      return (found, data)
    }

    mutating func variable(depth: Int) throws(DataError) -> (String, Value)? {
      let (kind, data) = try element()
      switch kind {
      case .matrix:
        var inner = Reader(bytes: data, isBig: isBig, name: name)
        return try inner.array(depth: depth)
      case .compressed:
        guard depth == 0 else { throw broken("a compressed element inside another") }
        var inner = Reader(bytes: try inflated(data)[...], isBig: isBig, name: name)
        return try inner.variable(depth: 1)
      default: return nil
      }
    }

    /// The contents of a matrix element.
    mutating func array(depth: Int) throws(DataError) -> (String, Value) {
      guard depth < MATFile.deepest else { throw broken("cells \(depth) deep") }
      if isAtEnd { return ("", .numbers([], [0, 0])) }
      let flags = try element().1
      guard flags.count == 8 else { throw broken("array flags of \(flags.count) bytes") }
      let word = UInt32(truncatingIfNeeded: integer(flags.prefix(4)))
      var dimensions: [Int] = []
      for size in try numbers(element()) {
        guard let size = Int(exactly: size) else { throw broken("an array of size \(size)") }
        dimensions.append(size)
      }
      var count = 1
      for dimension in dimensions {
        let (product, overflow) = count.multipliedReportingOverflow(by: dimension)
        guard dimension >= 0, !overflow, product <= 1 << 30 else {
          throw broken("an array of \(dimensions)")
        }
        count = product
      }
      let title = String(decoding: try element().1, as: UTF8.self)
      if word & 0x800 != 0 { return (title, .other("a complex array")) }
      switch word & 0xFF {
      case 1:
        var cells: [Value] = []
        for _ in 0..<count {
          let (kind, data) = try element()
          guard kind == .matrix else { throw broken("a cell that is no array") }
          var inner = Reader(bytes: data, isBig: isBig, name: name)
          cells.append(try inner.array(depth: depth + 1).1)
        }
        return (title, .cells(cells))
      case 4:
        let (kind, data) = try element()
        return (title, .text(text(kind, data)))
      case 6...15:
        let values = try numbers(element())
        guard values.count == count else {
          throw broken("\(title) has \(values.count) values, its size is \(dimensions)")
        }
        return (title, .numbers(values, dimensions))
      default: return (title, .other("an array of class \(word & 0xFF)"))
      }
    }

    private func text(_ kind: Kind, _ data: ArraySlice<UInt8>) -> String {
      guard kind.width == 2 else { return String(decoding: data, as: UTF8.self) }
      let units = stride(from: data.startIndex, to: data.endIndex - 1, by: 2).map {
        UInt16(truncatingIfNeeded: integer(data[$0..<$0 + 2]))
      }
      return String(decoding: units, as: UTF16.self)
    }

    private func numbers(_ element: (Kind, ArraySlice<UInt8>)) throws(DataError) -> [Double] {
      let (kind, data) = element
      let width = kind.width
      guard data.count % width == 0 else {
        throw broken("\(data.count) bytes of \(width)-byte numbers")
      }
      var values: [Double] = []
      values.reserveCapacity(data.count / width)
      for start in stride(from: data.startIndex, to: data.endIndex, by: width) {
        let bits = integer(data[start..<start + width])
        switch kind {
        case .int8: values.append(Double(Int8(truncatingIfNeeded: bits)))
        case .int16: values.append(Double(Int16(truncatingIfNeeded: bits)))
        case .int32: values.append(Double(Int32(truncatingIfNeeded: bits)))
        case .int64: values.append(Double(Int64(bitPattern: bits)))
        case .single: values.append(Double(Float(bitPattern: UInt32(truncatingIfNeeded: bits))))
        case .double: values.append(Double(bitPattern: bits))
        case .uint8, .uint16, .uint32, .uint64: values.append(Double(bits))
        default: throw broken("numbers of type \(kind)")
        }
      }
      return values
    }

    private func inflated(_ data: ArraySlice<UInt8>) throws(DataError) -> [UInt8] {
      var result: [UInt8] = []
      var stream = z_stream()
      guard inflateInit_(&stream, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size)) == Z_OK else {
        throw broken("zlib cannot begin")
      }
      defer { inflateEnd(&stream) }
      var input = Array(data)
      var block = [UInt8](repeating: 0, count: 1 << 18)
      var code = Z_OK
      let count = input.count
      input.withUnsafeMutableBufferPointer { source in
        stream.next_in = source.baseAddress
        stream.avail_in = UInt32(count)
        while code == Z_OK, result.count <= MATFile.limit {
          let made = block.withUnsafeMutableBufferPointer { target -> Int in
            stream.next_out = target.baseAddress
            stream.avail_out = UInt32(target.count)
            code = inflate(&stream, Z_NO_FLUSH)
            return target.count - Int(stream.avail_out)
          }
          result.append(contentsOf: block[..<made])
          if made == 0, stream.avail_in == 0 { break }
        }
      }
      guard code == Z_STREAM_END else {
        throw broken(
          result.count > MATFile.limit
            ? "a variable of more than 1 GB" : "a compressed variable ends early")
      }
      return result
    }
  }
}
