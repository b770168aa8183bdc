import Foundation
import RocTestSupport
import Testing

/// A `roc-serve` on a free port of loopback, which ends with its last user.
final class RunningServer: @unchecked Sendable {
  let port: UInt16
  private let process: Process
  private let errors: FileHandle
  /// What it wrote to standard error so far.
  private var log = ""

  init(_ arguments: [String], environment: [String: String] = [:]) throws {
    process = try CommandRun.process(
      "roc-serve", arguments + ["--port", "0"], environment: environment)
    let pipe = Pipe()
    process.standardError = pipe
    process.standardInput = FileHandle.nullDevice
    errors = pipe.fileHandleForReading
    try process.run()
    while true {
      let data = errors.availableData
      log += String(decoding: data, as: UTF8.self)
      if let address = log.firstMatch(of: /listening on http:\/\/[^\n]*:(\d+)\//) {
        port = try #require(UInt16(address.1))
        return
      }
      guard !data.isEmpty else {
        process.waitUntilExit()
        throw Failure(text: log)
      }
    }
  }

  struct Failure: Error {
    let text: String
  }

  deinit {
    if process.isRunning { process.terminate() }
    process.waitUntilExit()
  }

  /// Asks it to stop, and waits.
  ///
  /// - Returns: Its exit code, and all that it wrote to standard error.
  func stop() -> (status: Int32, log: String) {
    kill(process.processIdentifier, SIGTERM)
    log += String(decoding: errors.readDataToEndOfFile(), as: UTF8.self)
    process.waitUntilExit()
    return (process.terminationStatus, log)
  }

  /// Its memory at the moment; 0 when it has ended.
  var residentMegabytes: Int {
    let text =
      (try? String(contentsOfFile: "/proc/\(process.processIdentifier)/status", encoding: .utf8))
      ?? ""
    return text.firstMatch(of: /VmRSS:\s+(\d+) kB/).flatMap { Int($0.1) }.map { $0 >> 10 } ?? 0
  }

  /// Gets an address.
  func ask(_ path: String) throws -> HTTPAnswer { try ask("GET", path) }

  /// Sends a request and reads the answer.
  func ask(
    _ method: String, _ path: String, headers: [String] = [], body: [UInt8] = []
  ) throws -> HTTPAnswer {
    let client = try HTTPClient(port)
    try client.send(method, path, headers: headers, body: body)
    return try client.read()
  }
}
