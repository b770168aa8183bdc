import RocFiles

/// Why a tokenizer folder cannot be used.
package struct TokenizerError: Error, CustomStringConvertible, Equatable {
  package let message: String

  package init(_ message: String) { self.message = message }

  package var description: String { message }
}

/// The pieces of a sentencepiece model file, read from its protocol buffer.
///
/// Format: `sentencepiece_model.proto` of https://github.com/google/sentencepiece
package struct SentencePieceModel: Sendable {
  /// `SentencePiece.Type` of the proto.
  package enum Kind: Int, Sendable {
    case normal = 1
    case unknown
    case control
    case userDefined
    case unused
    case byte
  }

  /// One entry of the vocabulary.
  package struct Piece: Sendable {
    package var text = ""
    package var score: Float = 0
    package var kind = Kind.normal
  }

  package let pieces: [Piece]
  /// Whether a blank is put before the text.
  package internal(set) var addsDummyPrefix: Bool

  /// - Throws: `TokenizerError` for a file that is cut short, is no BPE model, or normalises text.
  package init(path: String) throws(TokenizerError) {
    let file: MappedFile
    do throws(FileError) {
      file = try MappedFile(path: path)
    } catch {
      throw TokenizerError(error.description)
    }
    self = try file.withBytes { bytes throws(TokenizerError) in
      try SentencePieceModel(bytes, path: path)
    }
  }

  private init(_ bytes: UnsafeRawBufferPointer, path: String) throws(TokenizerError) {
    var pieces: [Piece] = []
    var addsDummyPrefix = true
    var modelType = 1
    var normalizer = ""
    var removesBlanks = true
    var reader = ProtobufReader(bytes, path: path)
    while let field = try reader.next() {
      switch (field.number, field.value) {
      case (1, .bytes(let range)):
        pieces.append(try Self.piece(reader.sub(range), index: pieces.count))
      case (2, .bytes(let range)):
        var trainer = reader.sub(range)
        while let field = try trainer.next() {
          if field.number == 3, case .varint(let value) = field.value {
            modelType = Int(truncatingIfNeeded: value)
          }
        }
      case (3, .bytes(let range)):
        var spec = reader.sub(range)
        while let field = try spec.next() {
          switch (field.number, field.value) {
          case (1, .bytes(let range)): normalizer = spec.text(range)
          case (3, .varint(let value)): addsDummyPrefix = value != 0
          case (4, .varint(let value)): removesBlanks = value != 0
          default: break
          }
        }
      default: break
      }
    }
    guard !pieces.isEmpty else {
      throw TokenizerError("\(path): no pieces; it is not a sentencepiece model")
    }
    guard modelType == 2 else {
      throw TokenizerError("\(path): model type \(modelType), expected 2 (BPE, as LLaMA has)")
    }
    guard normalizer.isEmpty || normalizer == "identity", !removesBlanks else {
      throw TokenizerError(
        """
        \(path): normaliser '\(normalizer)'\(removesBlanks ? " that removes blanks" : ""), \
        expected LLaMA's 'identity' that keeps them
        """)
    }
    self.pieces = pieces
    self.addsDummyPrefix = addsDummyPrefix
  }

  private static func piece(
    _ reader: ProtobufReader, index: Int
  ) throws(TokenizerError) -> Piece {
    var reader = reader
    var piece = Piece()
    while let field = try reader.next() {
      switch (field.number, field.value) {
      case (1, .bytes(let range)): piece.text = reader.text(range)
      case (2, .fixed32(let bits)): piece.score = Float(bitPattern: bits)
      case (3, .varint(let value)):
        guard let kind = Kind(rawValue: Int(truncatingIfNeeded: value)) else {
          throw TokenizerError("\(reader.path): piece \(index) has unknown type \(value)")
        }
        piece.kind = kind
      default: break
      }
    }
    guard !piece.score.isNaN else {
      throw TokenizerError("\(reader.path): piece \(index) has a score that is not a number")
    }
    return piece
  }
}

/// A walk over the fields of one protocol buffer message.
struct ProtobufReader {
  enum Value {
    case varint(UInt64)
    case fixed32(UInt32)
    case fixed64(UInt64)
    case bytes(Range<Int>)
  }

  let path: String
  private let bytes: UnsafeRawBufferPointer
  private var position: Int
  private let end: Int

  init(_ bytes: UnsafeRawBufferPointer, path: String) {
    self.bytes = bytes
    self.path = path
    position = 0
    end = bytes.count
  }

  private init(_ bytes: UnsafeRawBufferPointer, path: String, range: Range<Int>) {
    self.bytes = bytes
    self.path = path
    position = range.lowerBound
    end = range.upperBound
  }

  /// A reader of the message in `range`.
  func sub(_ range: Range<Int>) -> ProtobufReader {
    ProtobufReader(bytes, path: path, range: range)
  }

  func text(_ range: Range<Int>) -> String { String(decoding: bytes[range], as: UTF8.self) }

  /// The next field, or nil at the end of the message.
  mutating func next() throws(TokenizerError) -> (number: UInt64, value: Value)? {
    guard position < end else { return nil }
    let key = try varint()
    switch key & 7 {
    case 0: return (key >> 3, .varint(try varint()))
    case 1:
      let range = try take(8)
      return (key >> 3, .fixed64(bytes.loadUnaligned(fromByteOffset: range, as: UInt64.self)))
    case 2:
      let count = try varint()
      guard count <= UInt64(end - position) else { throw cut() }
      let start = try take(Int(count))
      return (key >> 3, .bytes(start..<start + Int(count)))
    case 5:
      let range = try take(4)
      return (key >> 3, .fixed32(bytes.loadUnaligned(fromByteOffset: range, as: UInt32.self)))
    default:
      throw TokenizerError(
        "\(path): unexpected wire type \(key & 7) at byte \(position); not a sentencepiece model")
    }
  }

  private mutating func take(_ count: Int) throws(TokenizerError) -> Int {
    guard count <= end - position else { throw cut() }
    defer { position += count }
    return position
  }

  private mutating func varint() throws(TokenizerError) -> UInt64 {
    var value: UInt64 = 0
    for shift in stride(from: UInt64(0), to: 64, by: 7) {
      guard position < end else { throw cut() }
      let byte = bytes[position]
      position += 1
      value |= UInt64(byte & 0x7F) << shift
      if byte < 0x80 { return value }
    }
    throw TokenizerError("\(path): a number longer than 64 bits at byte \(position)")
  }

  private func cut() -> TokenizerError {
    TokenizerError("\(path): cut short at byte \(position); download it again")
  }
}
