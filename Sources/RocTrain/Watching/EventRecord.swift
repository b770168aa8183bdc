/// The bytes of TensorBoard's records: an `Event` message in the frame of a TFRecord file.
///
/// Fields have the numbers of tensorflow/core/util/event.proto and framework/summary.proto.
package enum EventRecord {
  /// The first record of every file.
  static func version(wallTime: Double) -> [UInt8] {
    var event = Message()
    event.add(1, wallTime)
    event.add(3, Array("brain.Event:2".utf8))
    return framed(event.bytes)
  }

  /// The record that says that everything from `step` on is written anew.
  static func start(wallTime: Double, step: Int) -> [UInt8] {
    var log = Message()
    log.add(1, 1)  // SessionLog.START
    var event = Message()
    event.add(1, wallTime)
    event.add(2, step)
    event.add(7, log.bytes)
    return framed(event.bytes)
  }

  /// A record with all values of a step.
  ///
  /// The values carry no plugin's name: every TensorBoard takes a `simple_value` for a scalar, and
  /// the name would double the size of a record.
  static func scalars(
    wallTime: Double, step: Int, _ values: [(tag: String, value: Float)]
  ) -> [UInt8] {
    var summary = Message()
    for item in values {
      var value = Message()
      value.add(1, Array(item.tag.utf8))
      value.add(2, item.value)
      summary.add(1, value.bytes)
    }
    var event = Message()
    event.add(1, wallTime)
    event.add(2, step)
    event.add(5, summary.bytes)
    return framed(event.bytes)
  }

  /// Length, checksum of the length, data, checksum of the data.
  package static func framed(_ data: [UInt8]) -> [UInt8] {
    let length = littleEndian(UInt64(data.count))
    return length + littleEndian(CRC32C.masked(length)) + data
      + littleEndian(CRC32C.masked(data))
  }
}

/// A protocol-buffer message that grows by one field at a time.
private struct Message {
  private(set) var bytes: [UInt8] = []

  /// How a field's value is laid out.
  private enum Wire: UInt64 {
    case varint = 0
    case fixed64 = 1
    case delimited = 2
    case fixed32 = 5
  }

  private mutating func key(_ field: UInt64, _ wire: Wire) {
    varint(field << 3 | wire.rawValue)
  }

  private mutating func varint(_ value: UInt64) {
    var rest = value
    while rest >= 0x80 {
      bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
      rest >>= 7
    }
    bytes.append(UInt8(rest))
  }

  mutating func add(_ field: UInt64, _ value: Int) {
    key(field, .varint)
    varint(UInt64(bitPattern: Int64(value)))
  }

  mutating func add(_ field: UInt64, _ value: Double) {
    key(field, .fixed64)
    bytes += littleEndian(value.bitPattern)
  }

  mutating func add(_ field: UInt64, _ value: Float) {
    key(field, .fixed32)
    bytes += littleEndian(value.bitPattern)
  }

  /// A text, or a message inside the message.
  mutating func add(_ field: UInt64, _ value: [UInt8]) {
    key(field, .delimited)
    varint(UInt64(value.count))
    bytes += value
  }
}

private func littleEndian(_ value: some FixedWidthInteger) -> [UInt8] {
  withUnsafeBytes(of: value.littleEndian) { Array($0) }
}
