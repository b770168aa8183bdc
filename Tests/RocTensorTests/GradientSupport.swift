import RocTensor
import Testing

/// A sum in double, and how far the same sum in float32 may be from it.
struct ExactSum {
  private(set) var value: Double
  private var magnitude: Double
  private var terms = 1

  init(_ first: Float = 0) {
    value = Double(first)
    magnitude = abs(value)
  }

  mutating func add(_ term: Double) {
    value += term
    magnitude += abs(term)
    terms += 1
  }

  /// Summation of n terms errs by at most (n + 3) u · Σ |terms|, u = 2^-24.
  var bound: Double { Double(terms + 3) * 0x1p-24 * magnitude + 1e-30 }
}

/// Rows in memory with NaN between and behind them, which show reads and writes beyond a row.
final class PaddedRows {
  let rows: Int
  let columns: Int
  let stride: Int
  let values: UnsafeMutablePointer<Float>
  private let behind = 5

  /// - Parameters:
  ///   - array: rows · columns values; NaN when nil.
  ///   - rows: How many.
  ///   - columns: Values of a row.
  ///   - margin: Values of NaN behind each row.
  init(_ array: [Float]? = nil, rows: Int, columns: Int, margin: Int = 3) {
    self.rows = rows
    self.columns = columns
    stride = columns + margin
    values = .allocate(capacity: rows * stride + behind)
    values.initialize(repeating: .nan, count: rows * stride + behind)
    guard let array else { return }
    precondition(array.count == rows * columns)
    for row in 0..<rows {
      for column in 0..<columns { values[row * stride + column] = array[row * columns + column] }
    }
  }

  deinit { values.deallocate() }

  /// The values without margins.
  var array: [Float] {
    (0..<rows).flatMap { Array(UnsafeBufferPointer(start: values + $0 * stride, count: columns)) }
  }

  /// Whether nothing was written outside of the rows.
  var isIntact: Bool {
    (0..<rows).allSatisfy { row in
      (columns..<stride).allSatisfy { values[row * stride + $0].isNaN }
    } && (0..<behind).allSatisfy { values[rows * stride + $0].isNaN }
  }
}

/// Expects equal bits; names the first that differ.
func expectSameBits(
  _ found: some Collection<Float>, _ expected: some Collection<Float>, _ what: String,
  _ sourceLocation: SourceLocation = #_sourceLocation
) {
  #expect(
    found.count == expected.count, "\(what): \(found.count) values", sourceLocation: sourceLocation)
  let wrong = zip(found, expected).enumerated().first { $1.0.bitPattern != $1.1.bitPattern }
  if let (i, (found, expected)) = wrong {
    Issue.record(
      "\(what): value \(i) is \(found), not \(expected)", sourceLocation: sourceLocation)
  }
}

/// What `body` gives on one thread; two and three must give the same bits.
func onAnyTeam(
  _ set: String, _ what: String = "", sourceLocation: SourceLocation = #_sourceLocation,
  _ body: (Compute) throws -> [Float]
) throws -> [Float] {
  let alone = try body(try Compute(threads: 1, instructionSet: set))
  for threads in 2...3 {
    let shared = try body(try Compute(threads: threads, instructionSet: set))
    expectSameBits(shared, alone, "\(set), \(threads) threads, \(what)", sourceLocation)
  }
  return alone
}

/// Expects float32 values within a bound of their own of what they are in double.
func expectWithin(
  _ found: [Float], _ exact: [(value: Double, bound: Double)], _ what: String,
  sourceLocation: SourceLocation = #_sourceLocation
) {
  #expect(
    found.count == exact.count, "\(what): \(found.count) values", sourceLocation: sourceLocation)
  let wrong = zip(found, exact).enumerated().first { _, pair in
    !(abs(Double(pair.0) - pair.1.value) <= pair.1.bound)
  }
  if let (i, (found, exact)) = wrong {
    Issue.record(
      "\(what): value \(i) is \(found), not \(exact.value) ± \(exact.bound)",
      sourceLocation: sourceLocation)
  }
}

/// The derivative of a function in double by its i-th input, with an error of order 1e-12.
func derivative(_ x: [Double], _ i: Int, _ function: ([Double]) -> Double) -> Double {
  let step = 1e-3
  func moved(_ steps: Double) -> Double {
    var moved = x
    moved[i] += steps * step
    return function(moved)
  }
  return (8 * (moved(1) - moved(-1)) - (moved(2) - moved(-2))) / (12 * step)
}

/// Both as wide as double: Σ a · b.
func dot(_ a: [Double], _ b: [Double]) -> Double {
  var sum = 0.0
  for i in a.indices { sum += a[i] * b[i] }
  return sum
}
