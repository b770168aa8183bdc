import RocScore

/// A number rounded as Python's `round` does and printed with the fewest digits, as in `4.8147`
/// or `5.0`.
package func rounded(_ value: Double, decimals: Int) -> String {
  (Double(fixed(value, decimals)) ?? value).description
}
