import RocFiles
import RocJSON

/// Pairs of pieces that become one, the most important first.
struct MergeList {
  struct Pair {
    let left: [UInt8]
    let right: [UInt8]
    /// An index or the number of a line.
    let place: Int
  }

  private(set) var pairs: [Pair] = []
  private let source: String

  /// Reads `model.merges` of a `tokenizer.json`.
  ///
  /// - Parameter field: Texts `a b`, or arrays of two texts.
  /// - Throws: `TokenizerError` naming the first that is neither.
  init(_ field: JSONField) throws(TokenizerError) {
    source = "\(field.file): \(field.key)."
    guard let values = field.value?.array else { throw field.refusal("an array") }
    let arePairs = values.first?.array != nil
    for (i, value) in values.enumerated() {
      func refused() -> TokenizerError {
        field.child("\(i)", value).refusal(
          arePairs ? "two texts in an array" : "two pieces with a blank between them")
      }
      if arePairs {
        guard let pair = value.array, pair.count == 2, let left = pair[0].string,
          let right = pair[1].string
        else { throw refused() }
        pairs.append(Pair(left: Array(left.utf8), right: Array(right.utf8), place: i))
      } else {
        guard let text = value.string else { throw refused() }
        if text.utf8.starts(with: Self.head) { continue }
        guard let pair = Self.pair(Array(text.utf8)[...], i) else { throw refused() }
        pairs.append(pair)
      }
    }
  }

  /// Reads a `merges.txt`.
  ///
  /// - Parameter path: A file with one merge a line, `a b`.
  /// - Throws: `TokenizerError` naming the first line that is not a merge.
  init(path: String) throws(TokenizerError) {
    source = "\(path): line "
    let bytes: [UInt8]
    do throws(FileError) {
      bytes = try MappedFile(path: path).withBytes { Array($0) }
    } catch {
      throw TokenizerError(error.description)
    }
    var number = 0
    for line in bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false) {
      number += 1
      let line = line.last == UInt8(ascii: "\r") ? line.dropLast() : line
      if line.isEmpty || line.starts(with: Self.head) { continue }
      guard let pair = Self.pair(line, number) else {
        throw TokenizerError(
          "\(source)\(number) is \"\(String(decoding: line.prefix(80), as: UTF8.self))\", "
            + "expected two pieces with a blank between them")
      }
      pairs.append(pair)
    }
  }

  /// What the first line of a `merges.txt` begins with.
  private static let head = Array("#version".utf8)

  private static func pair(_ text: ArraySlice<UInt8>, _ place: Int) -> Pair? {
    let parts = text.split(separator: UInt8(ascii: " "), omittingEmptySubsequences: false)
    guard parts.count == 2 else { return nil }
    return Pair(left: Array(parts[0]), right: Array(parts[1]), place: place)
  }

  /// The error for a merge that names something that is not a piece.
  func unknown(_ piece: [UInt8], in pair: Pair) -> TokenizerError {
    let text = { (bytes: [UInt8]) in String(decoding: bytes, as: UTF8.self) }
    return TokenizerError(
      "\(source)\(pair.place) merges \(text(pair.left)) and \(text(pair.right)), "
        + "but \(text(piece)) is no piece of the vocabulary")
  }
}
