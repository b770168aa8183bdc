package import Foundation

/// What a command printed and how it ended.
package struct CommandRun: Sendable {
  package let output: String
  package let errors: String
  package let status: Int32

  /// Runs one of the built commands.
  ///
  /// - Parameters:
  ///   - command: As `roc-data`; it lies beside the test program.
  ///   - arguments: Its arguments.
  ///   - input: What it reads on standard input.
  ///   - environment: Added to this process's.
  ///   - folder: Where it runs.
  /// - Throws: What starting a process throws.
  package init(
    _ command: String, _ arguments: [String], input: String = "",
    environment: [String: String] = [:], folder: String? = nil
  ) throws {
    let process = try CommandRun.process(
      command, arguments, environment: environment, folder: folder)
    let output = Pipe()
    let errors = Pipe()
    let stdin = Pipe()
    process.standardOutput = output
    process.standardError = errors
    process.standardInput = stdin
    try process.run()
    try? stdin.fileHandleForWriting.write(contentsOf: Data(input.utf8))
    try? stdin.fileHandleForWriting.close()
    let box = Box()
    let group = DispatchGroup()
    DispatchQueue.global().async(group: group) {
      box.data = errors.fileHandleForReading.readDataToEndOfFile()
    }
    let printed = output.fileHandleForReading.readDataToEndOfFile()
    group.wait()
    process.waitUntilExit()
    self.output = String(decoding: printed, as: UTF8.self)
    self.errors = String(decoding: box.data, as: UTF8.self)
    let bySignal = process.terminationReason == .uncaughtSignal
    status = bySignal ? -process.terminationStatus : process.terminationStatus
  }

  private final class Box: @unchecked Sendable {
    var data = Data()
  }

  /// The folder of the built commands: they lie beside the tests.
  package static func tools() throws -> String {
    let own = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
    return URL(fileURLWithPath: own).deletingLastPathComponent().path
  }

  /// Runs a program of the system to its end.
  ///
  /// - Parameters:
  ///   - path: The program.
  ///   - arguments: Its arguments.
  ///   - environment: Variables beside those of the tests.
  ///   - folder: Where it runs.
  /// - Returns: Its exit status, and what it wrote to standard output and error.
  /// - Throws: When it cannot be started.
  package static func program(
    _ path: String, _ arguments: [String], environment: [String: String] = [:], folder: String
  ) throws -> (status: Int32, text: String) {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: path)
    process.arguments = arguments
    process.environment = ProcessInfo.processInfo.environment.merging(environment) { _, new in new }
    process.currentDirectoryURL = URL(fileURLWithPath: folder)
    let output = Pipe()
    process.standardOutput = output
    process.standardError = output
    process.standardInput = FileHandle.nullDevice
    try process.run()
    let data = output.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    return (process.terminationStatus, String(decoding: data, as: UTF8.self))
  }

  /// A process of a built command that was not started yet.
  package static func process(
    _ command: String, _ arguments: [String], environment: [String: String] = [:],
    folder: String? = nil
  ) throws -> Process {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "\(try Self.tools())/\(command)")
    process.arguments = arguments
    var variables = ProcessInfo.processInfo.environment.merging(environment) { _, new in new }
    if environment["ROC_DB"] == nil { variables["ROC_DB"] = nil }
    // What commands remember of files stays out of the user's cache.
    if environment["XDG_CACHE_HOME"] == nil {
      variables["XDG_CACHE_HOME"] = "\(NSTemporaryDirectory())/roc-test-cache"
    }
    process.environment = variables
    if let folder { process.currentDirectoryURL = URL(fileURLWithPath: folder) }
    return process
  }
}
