import RocFiles
import RocJSON
package import RocTensor

/// A tensor that is about to be written: what the header says, and what gives its bytes.
package struct TensorPlan: Sendable {
  package let name: String
  package let dtype: DType
  package let shape: [Int]
  /// Writes exactly the bytes that dtype and shape ask for, in row-major order, little-endian.
  package let write: @Sendable (ByteSink) throws(CheckpointError) -> Void

  package init(
    name: String, dtype: DType, shape: [Int],
    write: @escaping @Sendable (ByteSink) throws(CheckpointError) -> Void
  ) {
    self.name = name
    self.dtype = dtype
    self.shape = shape
    self.write = write
  }

  /// A tensor of float32 values rounded to `dtype`.
  package init(name: String, dtype: DType, shape: [Int], values: [Float]) {
    self.init(name: name, dtype: dtype, shape: shape) { sink throws(CheckpointError) in
      try sink.write(narrowed(values, to: dtype))
    }
  }

  package var byteCount: Int { shape.reduce(dtype.size, *) }
}

/// A file being written.
package final class ByteSink {
  private let file: NewFile
  /// Bytes written so far.
  private(set) var count = 0

  init(path: String) throws(CheckpointError) {
    file = try output { () throws(FileError) in try NewFile(path) }
  }

  package func write(_ bytes: [UInt8]) throws(CheckpointError) {
    try output { () throws(FileError) in try file.write(bytes) }
    count += bytes.count
  }

  package func write(_ bytes: UnsafeRawBufferPointer) throws(CheckpointError) {
    try output { () throws(FileError) in try file.write(bytes) }
    count += bytes.count
  }

  /// Ends the file, once the disk has everything.
  func finish() throws(CheckpointError) {
    try output { () throws(FileError) in try file.commit() }
  }
}

/// Writes a safetensors file tensor by tensor, so that no more than one needs to be in memory.
package enum SafetensorsWriter {
  /// - Parameters:
  ///   - plans: In the order of the file. The data begin at a multiple of 64, so tensors of
  ///     multiples of 64 bytes that come first are aligned for the kernels.
  ///   - metadata: Besides `"format": "pt"`.
  ///   - path: An existing file is replaced.
  ///   - progress: Called with the bytes of every tensor that is written; false stops.
  /// - Throws: `CheckpointError` when the disk is full or a plan does not give what it promised.
  package static func write(
    _ plans: [TensorPlan], metadata: [String: String] = [:], to path: String,
    progress: (Int) -> Bool = { _ in true }
  ) throws(CheckpointError) {
    var all = metadata
    all["format"] = "pt"
    var members = [
      JSON.Member(
        "__metadata__",
        .object(all.sorted { $0.key < $1.key }.map { JSON.Member($0.key, .string($0.value)) }))
    ]
    var offset = 0
    for plan in plans {
      members.append(
        JSON.Member(
          plan.name,
          [
            "dtype": .string(plan.dtype.rawValue), "shape": .array(plan.shape.map { .int($0) }),
            "data_offsets": [.int(offset), .int(offset + plan.byteCount)],
          ]))
      offset += plan.byteCount
    }
    var header = Array(JSON.object(members).line.utf8)
    header += [UInt8](repeating: UInt8(ascii: " "), count: (64 - (header.count + 8) % 64) % 64)
    let sink = try ByteSink(path: path)
    try sink.write((0..<8).map { UInt8(truncatingIfNeeded: header.count >> (8 * $0)) })
    try sink.write(header)
    for plan in plans {
      let before = sink.count
      try plan.write(sink)
      guard sink.count - before == plan.byteCount else {
        throw CheckpointError(
          """
          \(path): tensor \(plan.name): \(sink.count - before) bytes were made for \
          \(plan.shape) of \(plan.dtype.rawValue)
          """)
      }
      guard progress(plan.byteCount) else {
        throw CheckpointError("\(path): interrupted", .interrupted)
      }
    }
    try sink.finish()
  }
}
