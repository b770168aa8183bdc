package import ArgumentParser

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// A whole program: what its command line asks for, and its exit code.
package enum Program {
  /// Parses the command line, runs the command, and ends the process.
  ///
  /// ArgumentParser's own way prints help and versions without looking whether they arrive.
  ///
  /// - Parameters:
  ///   - root: The program's command.
  ///   - arguments: Those of the process when nil.
  package static func main(
    _ root: (some ParsableCommand).Type, _ arguments: [String]? = nil
  ) -> Never {
    signal(SIGPIPE, SIG_IGN)
    do {
      var command = try root.parseAsRoot(arguments)
      try command.run()
      exit(0)
    } catch {
      end(root, error)
    }
  }

  private static func end(_ root: (some ParsableCommand).Type, _ error: any Error) -> Never {
    let code = root.exitCode(for: error).rawValue
    let text = root.fullMessage(for: error)
    guard !text.isEmpty else { exit(code) }
    guard code == 0 else {
      Console.note(text)
      exit(code)
    }
    do throws(CommandError) {
      try Console.printData(text)
    } catch {
      Console.note("Error: \(error.message)")
      exit(error.status.rawValue)
    }
    exit(0)
  }
}
