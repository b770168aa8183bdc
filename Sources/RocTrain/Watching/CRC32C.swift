/// The checksum of Castagnoli's polynomial, as in RFC 3720, appendix B.4.
package enum CRC32C {
  /// What one byte does to the remainder; the polynomial is 0x1EDC6F41, here with its bits reversed.
  private static let table: [UInt32] = (0..<256).map { byte in
    (0..<8).reduce(UInt32(byte)) { remainder, _ in
      remainder & 1 == 0 ? remainder >> 1 : remainder >> 1 ^ 0x82F6_3B78
    }
  }

  package static func checksum(_ bytes: some Sequence<UInt8>) -> UInt32 {
    ~bytes.reduce(~0) { remainder, byte in
      remainder >> 8 ^ table[Int((remainder ^ UInt32(byte)) & 0xFF)]
    }
  }

  /// The checksum as TFRecord files store it: rotated, with a constant added, because the checksum
  /// of bytes that contain their own checksum says little.
  package static func masked(_ bytes: some Sequence<UInt8>) -> UInt32 {
    let checksum = checksum(bytes)
    return (checksum >> 15 | checksum << 17) &+ 0xA282_EAD8
  }
}
