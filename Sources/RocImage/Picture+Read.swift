import CRocImage
import RocFiles

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// The picture formats that are read, recognised by their first bytes.
package enum PictureFormat: String, Sendable, CaseIterable {
  case jpeg
  case png
  case webp
  case bmp

  /// The format of a file that starts with `bytes`; file names do not count.
  package init?(_ bytes: UnsafeRawBufferPointer) {
    func starts(_ prefix: [UInt8], at offset: Int = 0) -> Bool {
      bytes.count >= offset + prefix.count && bytes[offset...].starts(with: prefix)
    }
    if starts([0xFF, 0xD8, 0xFF]) {
      self = .jpeg
    } else if starts([0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A]) {
      self = .png
    } else if starts(Array("RIFF".utf8)), starts(Array("WEBP".utf8), at: 8) {
      self = .webp
    } else if starts(Array("BM".utf8)), bytes.count >= 26 {
      self = .bmp
    } else {
      return nil
    }
  }
}

extension Picture {
  /// Reads a JPEG, PNG, WebP or BMP file as the RGB bytes that Pillow's `convert("RGB")` gives.
  ///
  /// - Throws: `PictureError` with the path, a code, and what is wrong with the file.
  package static func read(_ path: String) throws(PictureError) -> Picture {
    let bytes: [UInt8]
    do throws(FileError) {
      bytes = try OpenFile.bytes(of: path)
    } catch {
      throw PictureError(
        error.isOfMachine ? .machine : error.isMissing ? .missing : .unreadable, path: path,
        reason: error.reason)
    }
    return try bytes.withUnsafeBytes { bytes in
      Result { () throws(PictureError) in try decode(bytes, path: path) }
    }.get()
  }

  /// Decodes a file in memory.
  ///
  /// - Parameters:
  ///   - bytes: The whole file.
  ///   - path: Its name for error messages.
  /// - Returns: The pixels.
  /// - Throws: `PictureError` that says what is wrong with the file.
  package static func decode(
    _ bytes: UnsafeRawBufferPointer, path: String
  ) throws(PictureError) -> Picture {
    guard bytes.count > 0 else {
      throw PictureError(.empty, path: path, reason: "the file is empty (0 bytes)")
    }
    guard let format = PictureFormat(bytes) else {
      throw PictureError(
        .notAPicture, path: path,
        reason: "not a JPEG, PNG, WebP or BMP picture: it starts with \(opening(bytes))")
    }
    switch format {
    case .jpeg: return try decode(bytes, path: path, format: "JPEG", with: roc_decode_jpeg)
    case .png: return try decode(bytes, path: path, format: "PNG", with: roc_decode_png)
    case .webp: return try decode(bytes, path: path, format: "WebP", with: roc_decode_webp)
    case .bmp: return try decodeBMP(bytes, path: path)
    }
  }

  private static func decode(
    _ bytes: UnsafeRawBufferPointer, path: String, format: String,
    with decoder: (UnsafePointer<UInt8>, Int, UnsafeMutablePointer<roc_picture>) -> Int32
  ) throws(PictureError) -> Picture {
    var result = roc_picture()
    // What a decoder says about memory that it did not get differs; this does not.
    errno = 0
    let done = bytes.withMemoryRebound(to: UInt8.self) { buffer in
      buffer.baseAddress.map { decoder($0, buffer.count, &result) } ?? 0
    }
    let isMemoryShort = errno == ENOMEM
    guard done == 1, let pixels = result.pixels else {
      let message = withUnsafeBytes(of: result.message) {
        String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self)
      }
      let code: PictureError.Code =
        isMemoryShort
        ? .machine
        : result.truncated != 0 ? .truncated : result.too_large != 0 ? .tooLarge : .undecodable
      throw PictureError(code, path: path, reason: "broken \(format): \(message)")
    }
    return Picture(adopting: pixels, width: result.width, height: result.height)
  }

  /// The first bytes as text, or as hexadecimal where they are not text.
  private static func opening(_ bytes: UnsafeRawBufferPointer) -> String {
    let start = bytes.prefix(12)
    if start.allSatisfy({ $0 >= 0x20 && $0 < 0x7F || $0 == 0x0A || $0 == 0x0D || $0 == 0x09 }) {
      let text = String(decoding: start, as: UTF8.self)
      return "the text \"\(text.split(whereSeparator: \.isNewline).first ?? "")…\""
    }
    return "the bytes "
      + start.prefix(8).map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }
      .joined(separator: " ")
  }
}
