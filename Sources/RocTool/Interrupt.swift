import Synchronization

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// Lets a long command finish the item at hand when it is asked to stop.
package enum Interrupt {
  private static let received = Atomic<Int32>(0)

  /// From now on the first SIGINT or SIGTERM is only remembered; a second one ends the program.
  package static func listen() {
    for number in [SIGINT, SIGTERM] {
      var action = sigaction()
      action.__sigaction_handler.sa_handler = { number in
        if Interrupt.received.exchange(number, ordering: .relaxed) != 0 { _exit(128 + number) }
      }
      sigaction(number, &action, nil)
    }
  }

  /// The status to end with, once a signal came.
  package static var status: ExitStatus? {
    switch received.load(ordering: .relaxed) {
    case 0: nil
    case SIGTERM: .terminated
    default: .interrupted
    }
  }
}
