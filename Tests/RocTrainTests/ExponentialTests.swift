import Foundation
import Testing

@testable import RocTrain

struct ExponentialTests {
  @Test func isTheLibrarysToTwoUnitsInTheLastPlace() {
    var worst = 0.0
    for i in 0...700_000 {
      let x = -Double(i) / 1000
      worst = max(worst, abs(exponential(x) - exp(x)) / exp(x))
    }
    #expect(worst < 2.3e-16 * 2)
    #expect(exponential(0) == 1)
    #expect(abs(exponential(2.5) - exp(2.5)) < 1e-14)
  }

  @Test func endsWhereDoublesEnd() {
    #expect(exponential(-709) == 0)
    #expect(exponential(-.infinity) == 0)
    #expect(exponential(.infinity) == .infinity)
    #expect(exponential(.nan).isNaN)
  }
}
