#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// A number with a fixed count of decimals.
///
/// The C library rounds the exact binary value, ties to even, as Python's `round` does.
package func fixed(_ value: Double, _ decimals: Int) -> String {
  var buffer = [CChar](repeating: 0, count: 400)
  let count = withVaList([Int32(decimals), value]) {
    vsnprintf(&buffer, buffer.count, "%.*f", $0)
  }
  return String(
    decoding: buffer.prefix(Int(count)).map { UInt8(bitPattern: $0) }, as: UTF8.self)
}
