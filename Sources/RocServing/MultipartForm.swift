import RocNames

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// The parts of a `multipart/form-data` body (RFC 7578).
package struct MultipartForm: Sendable {
  /// One field or file.
  package struct Part: Sendable {
    package let name: String
    /// Nil for a field.
    package let fileName: String?
    package let bytes: [UInt8]

    /// The bytes as text.
    package var text: String { String(decoding: bytes, as: UTF8.self) }
  }

  package let parts: [Part]

  /// Parts of one form; more of them are no pictures.
  private static let mostParts = 4096
  /// Bytes of the headers of one part.
  private static let mostHeaderBytes = 8192

  /// - Parameters:
  ///   - body: The whole body.
  ///   - contentType: The header, with its boundary.
  /// - Throws: `RequestProblem` that says what is wrong with the body.
  package init(_ body: [UInt8], contentType: String) throws(RequestProblem) {
    let settings = Self.settings(contentType[...])
    guard let boundary = settings.first(where: { $0.name == "boundary" })?.value,
      (1...70).contains(boundary.utf8.count)
    else { throw RequestProblem(.badRequest, "multipart/form-data without a boundary") }
    let mark = Array("--\(boundary)".utf8)
    var parts: [Part] = []
    // What stands before the first mark is no part.
    guard var place = Self.find(mark, in: body, from: 0, atLineStart: true) else {
      throw RequestProblem(.badRequest, "no part begins with the boundary \(boundary)")
    }
    while true {
      place += mark.count
      if body[place...].starts(with: Array("--".utf8)) { break }
      // Blanks may pad the line (RFC 2046, section 5.1.1).
      while place < body.count, [0x20, 0x09].contains(body[place]) { place += 1 }
      guard body[place...].starts(with: [0x0D, 0x0A]) else {
        throw RequestProblem(.badRequest, "part \(parts.count + 1): no line end after the boundary")
      }
      place += 2
      let (headers, start) = try Self.headers(body, place, part: parts.count + 1)
      guard let end = Self.find([0x0D, 0x0A] + mark, in: body, from: start - 2, atLineStart: false)
      else { throw RequestProblem(.badRequest, "part \(parts.count + 1) has no end") }
      guard parts.count < Self.mostParts else {
        throw RequestProblem(.tooLarge, "more than \(Self.mostParts) parts")
      }
      let disposition = Self.settings(headers["content-disposition", default: ""][...])
      func setting(_ name: String) -> String? { disposition.first { $0.name == name }?.value }
      guard let name = setting("name") else {
        throw RequestProblem(.badRequest, "part \(parts.count + 1) has no name")
      }
      // The mark may follow the headers at once: an empty part.
      parts.append(
        Part(
          name: name, fileName: setting("filename") ?? setting("filename*").map(Self.extended),
          bytes: Array(body[start..<max(start, end)]))
      )
      place = end + 2
    }
    self.parts = parts
  }

  /// The headers of a part, and where its content starts.
  private static func headers(
    _ body: [UInt8], _ start: Int, part: Int
  ) throws(RequestProblem) -> (headers: [String: String], end: Int) {
    var headers: [String: String] = [:]
    var place = start
    while true {
      guard let end = find([0x0D, 0x0A], in: body, from: place, atLineStart: false),
        end - start < mostHeaderBytes
      else { throw RequestProblem(.badRequest, "part \(part): its headers have no end") }
      let line = String(decoding: body[place..<end], as: UTF8.self)
      place = end + 2
      if line.isEmpty { return (headers, place) }
      guard let colon = line.firstIndex(of: ":") else {
        throw RequestProblem(.badRequest, "part \(part): a header without a colon")
      }
      headers[line[..<colon].lowercased()] = String(line[line.index(after: colon)...])
    }
  }

  /// What `UTF-8''a%20b.jpg` stands for (RFC 8187).
  private static func extended(_ value: String) -> String {
    let parts = value.split(separator: "'", maxSplits: 2, omittingEmptySubsequences: false)
    guard parts.count == 3 else { return value }
    return Percent.decoded(parts[2].utf8)
  }

  /// The `name=value` settings of a header, quoted or not.
  private static func settings(_ header: Substring) -> [(name: String, value: String)] {
    var result: [(name: String, value: String)] = []
    var rest = header.unicodeScalars
    while let semicolon = rest.firstIndex(of: ";") {
      rest = rest[rest.index(after: semicolon)...].drop { $0 == " " || $0 == "\t" }
      guard let equals = rest.firstIndex(of: "=") else { break }
      let name = String(rest[..<equals]).lowercased()
      rest = rest[rest.index(after: equals)...]
      var value = String.UnicodeScalarView()
      if rest.first == "\"" {
        rest.removeFirst()
        while let next = rest.popFirst(), next != "\"" {
          // Browsers write %22 for a quote; others a backslash before it.
          if next == "\\", let following = rest.first, following == "\"" || following == "\\" {
            value.append(following)
            rest.removeFirst()
          } else {
            value.append(next)
          }
        }
      } else {
        value.append(contentsOf: rest.prefix { $0 != ";" && $0 != " " })
      }
      result.append((name, String(value)))
    }
    return result
  }

  /// The next place where a pattern stands.
  private static func find(
    _ pattern: [UInt8], in body: [UInt8], from start: Int, atLineStart: Bool
  ) -> Int? {
    guard let first = pattern.first, start >= 0, body.count >= pattern.count else { return nil }
    return body.withUnsafeBytes { body in
      var place = start
      let last = body.count - pattern.count
      while place <= last {
        // The bodies of pictures are long, and their bytes are any.
        guard let base = body.baseAddress,
          let found = memchr(base + place, Int32(first), last - place + 1)
        else { return nil }
        place = UnsafeRawPointer(found) - base
        let isLineStart = place == 0 || body[place - 1] == 0x0A
        if !atLineStart || isLineStart, body[place..<place + pattern.count].elementsEqual(pattern) {
          return place
        }
        place += 1
      }
      return nil
    }
  }
}
