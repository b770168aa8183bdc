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
    // A parent that blocks signals hands the block down to its children.
    var mask = sigset_t()
    sigemptyset(&mask)
    for number in [SIGINT, SIGTERM] {
      sigaddset(&mask, number)
      var action = sigaction()
      action.__sigaction_handler.sa_handler = { number in
        if Interrupt.received.exchange(number, ordering: .relaxed) != 0 { _exit(128 + number) }
      }
      sigaction(number, &action, nil)
    }
    pthread_sigmask(SIG_UNBLOCK, &mask, nil)
  }

  /// The status to end with, once a signal has come.
  package static var status: ExitStatus? {
    switch received.load(ordering: .relaxed) {
    case 0: nil
    case SIGTERM: .terminated
    default: .interrupted
    }
  }
}
