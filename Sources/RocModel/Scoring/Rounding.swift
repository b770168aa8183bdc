#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// A number rounded as Python's `round` does and printed with the fewest digits, as in `4.8147`
/// or `5.0`.
///
/// The C library rounds the exact binary value, ties to even, which is what Python does.
package func rounded(_ value: Double, decimals: Int) -> String {
  var buffer = [CChar](repeating: 0, count: 400)
  let count = withVaList([Int32(decimals), value]) {
    vsnprintf(&buffer, buffer.count, "%.*f", $0)
  }
  let text = String(
    decoding: buffer.prefix(Int(count)).map { UInt8(bitPattern: $0) }, as: UTF8.self)
  return (Double(text) ?? value).description
}
