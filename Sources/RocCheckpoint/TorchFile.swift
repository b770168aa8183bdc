import RocFiles
import RocTensor

/// A file of `torch.save` that holds a dictionary of tensors.
///
/// Since PyTorch 1.6 it is a zip archive, before that pickles followed by the storages. Values stay
/// in the mapped file.
///
/// Format: https://github.com/pytorch/pytorch/blob/v2.5.1/torch/serialization.py
struct TorchFile {
  let path: String
  /// In the order of the dictionary.
  let tensors: [Tensor]

  /// - Throws: `CheckpointError` that names the file, and the tensor or opcode that is refused.
  init(_ file: MappedFile) throws(CheckpointError) {
    path = file.path
    tensors = Self.isZip(file) ? try Self.zip(file) : try Self.legacy(file)
  }

  static func isZip(_ file: MappedFile) -> Bool {
    file.withBytes { $0.starts(with: [0x50, 0x4b, 3, 4]) }
  }

  /// Whether the file begins with a pickle.
  ///
  /// The length of a safetensors header may begin with the same two bytes; that one has a brace
  /// after it.
  static func isPickle(_ file: MappedFile) -> Bool {
    file.withBytes { bytes in
      bytes.count > 2 && bytes[0] == 0x80 && (2...5).contains(bytes[1])
        && !(bytes.count > 8 && bytes[8] == UInt8(ascii: "{")
          && bytes[3..<8].allSatisfy { $0 == 0 })
    }
  }

  /// A larger one would not describe tensors: the real model's is 200 KB.
  private static let largestPickle = 64 << 20

  // MARK: The zip archive

  private static func zip(_ file: MappedFile) throws(CheckpointError) -> [Tensor] {
    let entries = try ZipDirectory(file).entries
    let pickles = entries.keys.filter { $0.hasSuffix("/data.pkl") || $0 == "data.pkl" }
    guard pickles.count == 1, let name = pickles.first, let pickle = entries[name]?.range else {
      throw CheckpointError(
        """
        \(file.path): \(pickles.count) entries called data.pkl in the archive, expected one as \
        torch.save writes
        """)
    }
    let prefix = name.dropLast("data.pkl".count)
    if let order = entries["\(prefix)byteorder"]?.range {
      let text = file.withBytes { String(decoding: $0[order], as: UTF8.self) }
      guard text == "little" else {
        throw CheckpointError("\(file.path): byte order \(text), expected little")
      }
    }
    guard pickle.count <= largestPickle else {
      throw CheckpointError("\(file.path): data.pkl of \(pickle.count) bytes describes no model")
    }
    let value = try file.withBytes { bytes throws(CheckpointError) in
      try unpickle(UnsafeRawBufferPointer(rebasing: bytes[pickle]), path: file.path).value
    }
    return try tensors(of: value, file: file) { entries["\(prefix)data/\($0)"]?.range }
  }

  // MARK: The older form

  /// The number 0x1950a86a20f9469cfc6c, little-endian.
  private static let magic: [UInt8] = [0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19]

  private static func legacy(_ file: MappedFile) throws(CheckpointError) -> [Tensor] {
    let (value, storages) = try file.withBytes { bytes throws(CheckpointError) in
      var position = 0
      func next() throws(CheckpointError) -> PickleValue {
        let read = try unpickle(bytes, at: position, path: file.path)
        position = read.end
        return read.value
      }
      guard case .large(let digits) = try next(), digits == magic else {
        throw CheckpointError("\(file.path): not a file of torch.save: no magic number")
      }
      guard case .int(1001) = try next() else {
        throw CheckpointError("\(file.path): a version of torch.save other than 1001")
      }
      if case .dictionary(let system) = try next() {
        for entry in system.entries where entry.key.text == "little_endian" {
          if case .bool(false) = entry.value {
            throw CheckpointError("\(file.path): big-endian values are not supported")
          }
        }
      }
      let value = try next()
      try refuseNested(value, path: file.path)
      guard case .list(let keys) = try next() else {
        throw CheckpointError("\(file.path): no list of storages after the tensors")
      }
      let types = storageTypes(of: value)
      var storages: [String: Range<Int>] = [:]
      for key in keys.values.compactMap(\.text) {
        // Each storage is 8 bytes of its count and the values.
        guard position <= bytes.count - 8, let size = types[key]?.dtype?.size else {
          throw CheckpointError("\(file.path): storage \(key) is cut short or never used")
        }
        let count = Int(
          clamping: UInt64(
            littleEndian: bytes.loadUnaligned(fromByteOffset: position, as: UInt64.self)))
        let (length, overflow) = count.multipliedReportingOverflow(by: size)
        position += 8
        guard !overflow, length <= bytes.count - position else {
          throw CheckpointError(
            "\(file.path): storage \(key) of \(count) values reaches beyond the file")
        }
        storages[key] = position..<position + length
        position += length
      }
      return (value, storages)
    }
    return try tensors(of: value, file: file) { storages[$0] }
  }

  private static func storageTypes(of value: PickleValue) -> [String: PickleGlobal] {
    guard case .dictionary(let dictionary) = value else { return [:] }
    var types: [String: PickleGlobal] = [:]
    for case .tensor(let tensor) in dictionary.entries.map(\.value) {
      types[tensor.storage.key] = tensor.storage.type
    }
    return types
  }

  // MARK: Tensors

  private static func unpickle(
    _ bytes: UnsafeRawBufferPointer, at start: Int = 0, path: String
  ) throws(CheckpointError) -> (value: PickleValue, end: Int) {
    var reader = Unpickler(bytes, at: start)
    do throws(PickleError) {
      let value = try reader.read()
      return (value, reader.position)
    } catch {
      throw CheckpointError(
        "\(path): unsafe or damaged pickle at byte \(error.position): \(error.reason)")
    }
  }

  /// Anything but a flat dictionary of tensors is refused before its storages are looked for.
  private static func refuseNested(_ value: PickleValue, path: String) throws(CheckpointError) {
    guard case .dictionary(let dictionary) = value else {
      throw CheckpointError("\(path): holds \(value.kind), expected a dict of tensors")
    }
    for (key, value) in dictionary.entries {
      if case .tensor = value { continue }
      throw CheckpointError(
        """
        \(path): entry \(key.text ?? key.kind) is \(value.kind), expected a flat dict of tensors, \
        as model.state_dict() gives
        """)
    }
  }

  private static func tensors(
    of value: PickleValue, file: MappedFile, storage: (String) -> Range<Int>?
  ) throws(CheckpointError) -> [Tensor] {
    try refuseNested(value, path: file.path)
    guard case .dictionary(let dictionary) = value else { return [] }
    var tensors: [Tensor] = []
    var names: Set<String> = []
    for (key, value) in dictionary.entries {
      guard let name = key.text else {
        throw CheckpointError("\(file.path): a key is \(key.kind), expected tensor names")
      }
      guard case .tensor(let facts) = value else { continue }
      guard names.insert(name).inserted else {
        throw CheckpointError("\(file.path): tensor \(name) is there twice")
      }
      tensors.append(try tensor(name, facts, file: file, storage: storage))
    }
    return tensors
  }

  private static func tensor(
    _ name: String, _ facts: PickleTensor, file: MappedFile, storage: (String) -> Range<Int>?
  ) throws(CheckpointError) -> Tensor {
    func refuse(_ reason: String) -> CheckpointError {
      CheckpointError("\(file.path): tensor \(name): \(reason)")
    }
    guard let dtype = facts.storage.type.dtype, let range = storage(facts.storage.key) else {
      throw refuse("storage \(facts.storage.key) is not in the file")
    }
    let (needed, tooLarge) = facts.storage.count.multipliedReportingOverflow(by: dtype.size)
    guard !tooLarge, needed <= range.count else {
      throw refuse(
        """
        storage \(facts.storage.key) has \(range.count) bytes, \(facts.storage.count) values of \
        \(dtype.rawValue) need more; the file is cut short
        """)
    }
    let last = try lastIndex(facts, refuse)
    guard last < facts.storage.count else {
      throw refuse(
        "shape \(facts.shape) reaches value \(last) of a storage of \(facts.storage.count)")
    }
    let count = facts.shape.reduce(1, *)
    guard count > 0 else {
      let empty = range.lowerBound..<range.lowerBound
      return Tensor(name: name, dtype: dtype, shape: facts.shape, range: empty, file: file)
    }
    // Along an axis of size 1 nothing is ever stepped over.
    let strides = Swift.zip(facts.shape, facts.strides).map { $0 == 1 ? 0 : $1 }
    guard strides == rowMajor(facts.shape) else {
      // A view may repeat its storage; to copy one that does so endlessly would fill memory.
      guard count <= max(16 * facts.storage.count, 1 << 24) else {
        throw refuse("shape \(facts.shape) repeats a storage of \(facts.storage.count) values")
      }
      return Tensor(
        name: name, dtype: dtype, shape: facts.shape, range: range, file: file,
        view: Tensor.View(offset: facts.offset, strides: strides))
    }
    let start = range.lowerBound + facts.offset * dtype.size
    return Tensor(
      name: name, dtype: dtype, shape: facts.shape,
      range: start..<start + count * dtype.size, file: file)
  }

  /// The largest index into the storage; -1 for a tensor without values.
  private static func lastIndex(
    _ facts: PickleTensor, _ refuse: (String) -> CheckpointError
  ) throws(CheckpointError) -> Int {
    var last = facts.offset
    var count = 1
    for (size, stride) in Swift.zip(facts.shape, facts.strides) {
      // Sizes are bounded even next to a 0: their products are taken elsewhere.
      let (product, overflow) = max(count, 1).multipliedReportingOverflow(by: max(size, 1))
      let (reach, far) = max(size - 1, 0).multipliedReportingOverflow(by: stride)
      let (sum, beyond) = last.addingReportingOverflow(reach)
      // A view may repeat values without end; more than any model has is refused.
      guard !overflow, !far, !beyond, product <= 1 << 36 else {
        throw refuse("shape \(facts.shape) has more values than any model")
      }
      count = product
      last = sum
    }
    return facts.shape.contains(0) ? -1 : last
  }

  private static func rowMajor(_ shape: [Int]) -> [Int] {
    var step = 1
    var strides = [Int](repeating: 0, count: shape.count)
    for axis in shape.indices.reversed() where shape[axis] != 1 {
      strides[axis] = step
      step *= shape[axis]
    }
    return strides
  }
}

extension PickleGlobal {
  /// The number format of a storage type; nil for other names.
  var dtype: DType? {
    switch self {
    case .double: .f64
    case .float: .f32
    case .half: .f16
    case .bfloat16: .bf16
    case .long: .i64
    case .int: .i32
    case .short: .i16
    case .char: .i8
    case .byte: .u8
    case .bool: .bool
    default: nil
    }
  }
}
