import Foundation
import RocJSON
import Testing

/// An answer as it came.
struct HTTPAnswer {
  let status: Int
  /// Names in lower case.
  let headers: [String: String]
  let body: String

  func json() throws -> JSON { try JSON.parse(body) }
}

/// A connection that can be as slow, broken and half closed as a test wants.
final class HTTPClient: @unchecked Sendable {
  private let socket: Int32
  private var buffer: [UInt8] = []

  init(_ port: UInt16) throws {
    socket = Glibc.socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = port.bigEndian
    address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
    let connected = withUnsafePointer(to: address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        connect(socket, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
      }
    }
    try #require(connected == 0, "port \(port): \(String(cString: strerror(errno)))")
    var limit = timeval(tv_sec: 60, tv_usec: 0)
    setsockopt(socket, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
  }

  deinit { close(socket) }

  func write(_ bytes: [UInt8]) {
    var rest = bytes[...]
    while !rest.isEmpty {
      let sent = rest.withUnsafeBytes {
        Glibc.send(socket, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
      }
      // A server that has answered may have closed.
      guard sent > 0 else { return }
      rest = rest.dropFirst(sent)
    }
  }

  func write(_ text: String) { write(Array(text.utf8)) }

  /// Says that nothing more will be sent.
  func closeSending() { shutdown(socket, Int32(SHUT_WR)) }

  func send(_ method: String, _ path: String, headers: [String] = [], body: [UInt8] = []) throws {
    var lines = ["\(method) \(path) HTTP/1.1"] + headers
    if !headers.contains(where: { $0.lowercased().hasPrefix("host:") }) {
      lines.append("Host: localhost")
    }
    if !body.isEmpty { lines.append("Content-Length: \(body.count)") }
    write(lines.joined(separator: "\r\n") + "\r\n\r\n")
    write(body)
  }

  /// Reads one answer without a body.
  func readHead() throws -> HTTPAnswer {
    var end = buffer.firstRange(of: Array("\r\n\r\n".utf8))
    while end == nil {
      try #require(fill(), "closed before an answer")
      end = buffer.firstRange(of: Array("\r\n\r\n".utf8))
    }
    let stop = try #require(end)
    let head = String(decoding: buffer[..<stop.lowerBound], as: UTF8.self)
      .components(separatedBy: "\r\n")
    buffer.removeFirst(stop.upperBound)
    let status = try #require(Int(head[0].split(separator: " ")[1]))
    var headers: [String: String] = [:]
    for line in head.dropFirst() {
      let parts = line.split(separator: ":", maxSplits: 1)
      headers[parts[0].lowercased()] = parts[1].trimmingCharacters(in: .whitespaces)
    }
    return HTTPAnswer(status: status, headers: headers, body: "")
  }

  /// Reads one answer.
  func read() throws -> HTTPAnswer {
    let head = try readHead()
    // Nothing follows but the real answer.
    if head.status == 100 { return try read() }
    let (status, headers) = (head.status, head.headers)
    var body: [UInt8] = []
    if headers["transfer-encoding"] == "chunked" {
      while let size = Int(try line(), radix: 16), size > 0 {
        body += try take(size + 2).dropLast(2)
      }
      _ = try line()
    } else {
      body = try take(Int(headers["content-length"] ?? "0") ?? 0)
    }
    return HTTPAnswer(
      status: status, headers: headers, body: String(decoding: body, as: UTF8.self))
  }

  /// All that still comes until the server closes.
  func readToEnd() -> String {
    while fill() {}
    return String(decoding: buffer, as: UTF8.self)
  }

  /// Whether the server closes within some seconds.
  func closes(within seconds: Double) -> Bool {
    var wait = pollfd(fd: socket, events: Int16(POLLIN), revents: 0)
    return poll(&wait, 1, Int32(seconds * 1000)) > 0 && isClosed()
  }

  /// Reads one chunk of an answer that has not ended.
  func readChunk() throws -> String {
    let size = try #require(Int(try line(), radix: 16))
    return String(decoding: try take(size + 2).dropLast(2), as: UTF8.self)
  }

  /// Whether the server closes without another byte.
  func isClosed() -> Bool { buffer.isEmpty && !fill() }

  private func line() throws -> String {
    while true {
      if let end = buffer.firstRange(of: [0x0D, 0x0A]) {
        let text = String(decoding: buffer[..<end.lowerBound], as: UTF8.self)
        buffer.removeFirst(end.upperBound)
        return text
      }
      try #require(fill(), "closed within an answer")
    }
  }

  func take(_ count: Int) throws -> [UInt8] {
    while buffer.count < count { try #require(fill(), "closed within an answer") }
    let bytes = Array(buffer.prefix(count))
    buffer.removeFirst(count)
    return bytes
  }

  private func fill() -> Bool {
    var piece = [UInt8](repeating: 0, count: 1 << 16)
    let count = recv(socket, &piece, piece.count, 0)
    guard count > 0 else { return false }
    buffer += piece.prefix(count)
    return true
  }
}

/// A body of `multipart/form-data`.
struct FormBody {
  static let header = "Content-Type: multipart/form-data; boundary=roc-test-boundary"
  private(set) var bytes: [UInt8] = []

  mutating func add(_ name: String, fileName: String? = nil, _ content: [UInt8]) {
    let file = fileName.map { "; filename=\"\($0)\"" } ?? ""
    bytes += Array(
      "--roc-test-boundary\r\nContent-Disposition: form-data; name=\"\(name)\"\(file)\r\n\r\n".utf8)
    bytes += content + [0x0D, 0x0A]
  }

  var whole: [UInt8] { bytes + Array("--roc-test-boundary--\r\n".utf8) }
}
