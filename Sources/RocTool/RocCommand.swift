package import ArgumentParser
import CRocGuard
package import RocNames

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// A command whose work may throw any error; the error decides the exit code.
package protocol RocCommand: ParsableCommand {
  /// The work; parsing is done.
  func execute() throws -> ExitStatus
}

extension RocCommand {
  package func run() throws {
    // A closed pipe is seen as a failed write, not as a signal.
    signal(SIGPIPE, SIG_IGN)
    // So is a write beyond a limit on the size of files.
    signal(SIGXFSZ, SIG_IGN)
    roc_guard()
    let status: ExitStatus
    do {
      try Self.checkFiles()
      status = try execute()
    } catch let error as ValidationError {
      throw error
    } catch let error as CommandError {
      Console.note("Error: \(error.message)")
      throw ExitCode(error.status.rawValue)
    } catch let error as any ReportedError {
      Console.note("Error: \(error.message)")
      let status: ExitStatus =
        switch error.outcome {
        case .failed: .failed
        case .missing: .dataMissing
        case .checkFailed: .checkFailed
        case .busy: .busy
        case .usage: .usage
        }
      throw ExitCode(status.rawValue)
    } catch {
      Console.note("Error: \(error)")
      throw ExitCode(ExitStatus.failed.rawValue)
    }
    if status != .done { throw ExitCode(status.rawValue) }
  }

  /// Files that a command may have open at once, the libraries below it included.
  private static var mostFiles: Int32 { 32 }

  /// Below that some library or other would end the process, or call good pictures unreadable.
  private static func checkFiles() throws(CommandError) {
    var limit = 0
    guard roc_try_files(mostFiles, &limit) != 0 else { return }
    throw CommandError(
      .failed,
      """
      this process may have \(limit) files open at once, fewer than the \(mostFiles) that are \
      needed; raise it with ulimit -n
      """)
  }
}
