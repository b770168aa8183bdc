/// Splits a line into the whole numbers that stand between its blanks.
///
/// - Parameters:
///   - line: Bytes of one line.
///   - numbers: Emptied, then filled.
/// - Returns: The text of the first field that is not a 64-bit whole number, or nil.
package func splitIntegers(_ line: UnsafeRawBufferPointer, into numbers: inout [Int]) -> String? {
  numbers.removeAll(keepingCapacity: true)
  var position = 0
  while position < line.count {
    if line[position] == 0x20 || line[position] == 0x09 {
      position += 1
      continue
    }
    let start = position
    var value = 0
    var isNumber = true
    let isNegative = line[position] == UInt8(ascii: "-")
    if isNegative { position += 1 }
    let digits = position
    while position < line.count, line[position] != 0x20, line[position] != 0x09 {
      let digit = Int(line[position]) - 0x30
      let (tens, overflow) = value.multipliedReportingOverflow(by: 10)
      if digit < 0 || digit > 9 || overflow || tens > Int.max - digit {
        isNumber = false
      } else {
        value = tens + digit
      }
      position += 1
    }
    if !isNumber || position == digits {
      return String(decoding: line[start..<position], as: UTF8.self)
    }
    numbers.append(isNegative ? -value : value)
  }
  return nil
}
