import RocFiles
import RocJSON
import RocTensor

/// A safetensors file, mapped: 8 bytes of header length, a JSON header, then the data.
///
/// Format: https://github.com/huggingface/safetensors#format
package struct SafetensorsFile: Sendable {
  /// The limit of the reference library.
  static let largestHeader = 100_000_000

  package let path: String
  /// In the order of the header.
  package let tensors: [Tensor]
  package let metadata: [String: String]

  /// - Throws: `CheckpointError` for a file that is cut, overlapping, or not safetensors.
  package init(path: String) throws(CheckpointError) {
    try self.init(try map(path))
  }

  /// - Throws: `CheckpointError` for a file that is cut, overlapping, or not safetensors.
  init(_ file: MappedFile) throws(CheckpointError) {
    let header = try Self.header(of: file)
    var tensors: [Tensor] = []
    var metadata: [String: String] = [:]
    for member in header.members {
      if member.name == "__metadata__" {
        for entry in member.value.members ?? [] { metadata[entry.name] = entry.value.string }
      } else {
        tensors.append(try Self.tensor(member, file: file, dataStart: header.end))
      }
    }
    try Self.refuseOverlaps(tensors, path: file.path)
    path = file.path
    self.tensors = tensors
    self.metadata = metadata
  }

  private static func header(
    of file: MappedFile
  ) throws(CheckpointError) -> (members: [JSON.Member], end: Int) {
    guard file.count >= 8 else {
      throw CheckpointError(
        "\(file.path): \(file.count) bytes, too short for a safetensors file; download it again")
    }
    let isPointer = file.withBytes { $0.starts(with: Array("version https://git-lfs".utf8)) }
    guard !isPointer else {
      throw CheckpointError(
        "\(file.path): is a Git LFS pointer, not the weights; run: git lfs pull")
    }
    let length = file.withBytes { UInt64(littleEndian: $0.loadUnaligned(as: UInt64.self)) }
    guard length <= UInt64(min(file.count - 8, largestHeader)) else {
      throw CheckpointError(
        """
        \(file.path): the header claims \(length) bytes, the file has \(file.count); \
        it is cut short or not a safetensors file
        """)
    }
    let end = 8 + Int(length)
    let value: JSON
    do throws(JSONError) {
      value = try file.withBytes { bytes throws(JSONError) in
        try JSON.parse(UnsafeRawBufferPointer(rebasing: bytes[8..<end]))
      }
    } catch {
      throw CheckpointError("\(file.path): the header is not JSON: \(error)")
    }
    guard case .object(let members) = value else {
      throw CheckpointError("\(file.path): the header is \(value.kind), expected an object")
    }
    return (members, end)
  }

  private static func tensor(
    _ member: JSON.Member, file: MappedFile, dataStart: Int
  ) throws(CheckpointError) -> Tensor {
    func refuse(_ reason: String) -> CheckpointError {
      CheckpointError("\(file.path): tensor \(member.name): \(reason)")
    }
    guard let typeName = member.value["dtype"]?.string, let dtype = DType(rawValue: typeName)
    else {
      let found = member.value["dtype"]?.line ?? "none"
      let known = DType.allCases.map(\.rawValue).joined(separator: " ")
      throw refuse("dtype \(found), expected one of \(known)")
    }
    guard let dimensions = member.value["shape"]?.array else { throw refuse("no shape") }
    var shape: [Int] = []
    var count = 1
    var bounded = 1
    for dimension in dimensions {
      guard let size = dimension.int, size >= 0 else {
        throw refuse("shape \(JSON.array(dimensions).line), expected sizes of 0 or more")
      }
      let (product, overflow) = count.multipliedReportingOverflow(by: size)
      // Sizes are bounded even next to a 0: their products are taken elsewhere.
      let (nonZero, tooLarge) = bounded.multipliedReportingOverflow(by: max(size, 1))
      guard !overflow, !tooLarge, nonZero <= 1 << 56 else {
        throw refuse("a shape of more values than fit in 64 bits")
      }
      bounded = nonZero
      shape.append(size)
      count = product
    }
    guard let offsets = member.value["data_offsets"]?.array, offsets.count == 2,
      let begin = offsets[0].int, let end = offsets[1].int, begin >= 0, end >= begin
    else { throw refuse("data_offsets must be two rising positions") }
    guard end <= file.count - dataStart else {
      throw refuse(
        """
        data up to byte \(end), but the file holds \(file.count - dataStart) bytes of data; \
        it is cut short, download it again
        """)
    }
    let (size, overflow) = count.multipliedReportingOverflow(by: dtype.size)
    guard !overflow, size == end - begin else {
      throw refuse("\(end - begin) bytes for shape \(shape) of \(dtype.rawValue)")
    }
    return Tensor(
      name: member.name, dtype: dtype, shape: shape, range: dataStart + begin..<dataStart + end,
      file: file)
  }

  private static func refuseOverlaps(_ tensors: [Tensor], path: String) throws(CheckpointError) {
    let ordered = tensors.filter { !$0.range.isEmpty }
      .sorted { $0.range.lowerBound < $1.range.lowerBound }
    for (a, b) in zip(ordered, ordered.dropFirst()) where a.range.overlaps(b.range) {
      throw CheckpointError("\(path): tensors \(a.name) and \(b.name) overlap")
    }
    var names: Set<String> = []
    for tensor in tensors where !names.insert(tensor.name).inserted {
      throw CheckpointError("\(path): tensor \(tensor.name) is listed twice")
    }
  }
}
