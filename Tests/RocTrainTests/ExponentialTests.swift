import Foundation
import Testing

@testable import RocTrain

struct ExponentialTests {
  @Test func isTheLibrarysToAUnitInTheLastPlace() {
    var worst = 0.0
    for i in 0...700_000 {
      let x = -Double(i) * 0.00101137
      worst = max(worst, abs(exponential(x) - exp(x)) / exp(x).ulp)
    }
    #expect(worst <= 1)
    #expect(exponential(0) == 1)
    #expect(abs(exponential(2.5) - exp(2.5)) < 1e-14)
  }

  @Test func endsWhereDoublesEnd() {
    #expect(abs(exponential(-708) - exp(-708)) <= exp(-708).ulp)
    #expect(abs(exponential(708) - exp(708)) <= exp(708).ulp)
    #expect(exponential((-708.0).nextDown) == 0)
    #expect(exponential((708.0).nextUp) == .infinity)
    #expect(exponential(-.infinity) == 0)
    #expect(exponential(.infinity) == .infinity)
    #expect(exponential(.nan).isNaN)
  }
}
