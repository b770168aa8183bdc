import Synchronization

/// Large pieces of memory that are reused.
///
/// A forward pass asks for the same few sizes thousands of times; fresh pages from the system
/// would cost more than the smaller products.
enum Buffers {
  /// Pieces smaller than this are left to the allocator.
  private static let smallest = 32 << 10
  /// Bytes that may lie unused: a picture in the full model uses 0.4 GB besides its weights.
  private static let most = 512 << 20

  /// Sizes are rounded up to an eighth of a power of two, so that a prompt of one more row finds
  /// the pieces of the last.
  private static func rounded(_ bytes: Int) -> Int {
    guard bytes >= smallest else { return bytes }
    let step = 1 << (Int.bitWidth - 1 - bytes.leadingZeroBitCount - 3)
    return (bytes + step - 1) / step * step
  }

  private struct Kept: @unchecked Sendable {
    var pieces: [Int: [UnsafeMutableRawPointer]] = [:]
    var bytes = 0
  }

  private static let kept = Mutex(Kept())

  /// Memory of `bytes` bytes, 64-byte aligned, with any contents.
  static func take(_ bytes: Int) -> UnsafeMutableRawPointer {
    let bytes = rounded(bytes)
    if bytes >= smallest {
      let piece = kept.withLock { kept -> UInt? in
        guard let piece = kept.pieces[bytes]?.popLast() else { return nil }
        kept.bytes -= bytes
        return UInt(bitPattern: piece)
      }
      if let piece, let pointer = UnsafeMutableRawPointer(bitPattern: piece) { return pointer }
    }
    return .allocate(byteCount: bytes, alignment: 64)
  }

  /// Takes back what `take` gave.
  static func give(_ pointer: UnsafeMutableRawPointer, _ bytes: Int) {
    let bytes = rounded(bytes)
    let address = UInt(bitPattern: pointer)
    let isKept =
      bytes >= smallest
      && kept.withLock { kept in
        guard kept.bytes + bytes <= most, let piece = UnsafeMutableRawPointer(bitPattern: address)
        else { return false }
        kept.pieces[bytes, default: []].append(piece)
        kept.bytes += bytes
        return true
      }
    if !isKept { pointer.deallocate() }
  }
}
