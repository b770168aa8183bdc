/// e^x, from additions and multiplications alone.
///
/// The C library has an `exp` for CPUs that multiply and add at once and another for those that do
/// not, and their last bits differ: training would end with other weights on another machine.
///
/// x = k · log 2 + r with |r| ≤ log 2 / 2, and Taylor's series of e^r to the 13th power, whose
/// remainder is below 6e-18 of it. `ExponentialTests` holds it to within a unit in the last place
/// of the C library's.
///
/// - Parameter x: Logit minus the largest one, 0 or less.
/// - Returns: 0 below -708, just before results lose digits; infinity above 708; NaN for NaN.
func exponential(_ x: Double) -> Double {
  if x < -708 { return 0 }
  guard x <= 708 else { return x.isNaN ? x : .infinity }
  // Adding 1.5 · 2^52 leaves no room for fractions.
  let toWhole = 0x1.8p52
  let k = (x * 1.442695040888963407 + toWhole) - toWhole
  // log 2 in two parts; the first has few enough digits for k · part to be exact.
  let r = (x - k * 0x1.62e42fee00000p-1) - k * 0x1.a39ef35793c76p-33
  var sum = 1.0 / 6_227_020_800
  for i in inverseFactorials.indices { sum = sum * r + inverseFactorials[i] }
  return sum * Double(bitPattern: UInt64(Int64(k) + 1023) << 52)
}

/// The factors of the series: 1 / 12! … 1 / 0!.
private let inverseFactorials: InlineArray<13, Double> = [
  1.0 / 479_001_600, 1.0 / 39_916_800, 1.0 / 3_628_800, 1.0 / 362_880, 1.0 / 40_320, 1.0 / 5_040,
  1.0 / 720, 1.0 / 120, 1.0 / 24, 1.0 / 6, 0.5, 1, 1,
]
