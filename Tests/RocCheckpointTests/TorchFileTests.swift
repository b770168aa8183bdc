import Foundation
import RocCheckpoint
import RocJSON
import RocTensor
import RocTestSupport
import Testing

/// PyTorch's .bin files: every layout that `torch.save` gives, and what is refused in them.
struct TorchFileTests {
  @Test(arguments: ["views.bin", "views_legacy.bin"])
  func readsViewsAsPyTorchDoes(_ name: String) throws {
    let file = try WeightFile(path: Fixture.path("formats/\(name)"))
    let expected = try SafetensorsFile(path: Fixture.path("formats/expected_f32.safetensors"))
    #expect(Set(file.tensors.map(\.name)) == Set(expected.tensors.map(\.name)))
    for tensor in file.tensors {
      let other = try #require(expected.tensors.first { $0.name == tensor.name })
      #expect(tensor.shape == other.shape, "\(tensor.name)")
      let values = tensor.withContents { bytes in
        (0..<tensor.count).map { value(bytes, tensor, $0) }
      }
      #expect(values.map(\.bitPattern) == other.widened.map(\.bitPattern), "\(tensor.name)")
    }
  }

  /// One value of any number format as float32.
  private func value(_ bytes: UnsafeRawBufferPointer, _ tensor: Tensor, _ i: Int) -> Float {
    func at<T>(_ type: T.Type) -> T {
      bytes.loadUnaligned(fromByteOffset: i * MemoryLayout<T>.size, as: type)
    }
    return switch tensor.dtype {
    case .f64: Float(at(Double.self))
    case .f32: at(Float.self)
    case .f16: Float(at(Float16.self))
    case .bf16: Float(bitPattern: UInt32(at(UInt16.self)) << 16)
    case .i64: Float(at(Int64.self))
    case .i32: Float(at(Int32.self))
    case .i16: Float(at(Int16.self))
    case .i8: Float(at(Int8.self))
    case .u8, .bool: Float(at(UInt8.self))
    default: .nan
    }
  }

  @Test func refusesWhatIsNoFlatDictionary() {
    let path = Fixture.path("formats/nested.bin")
    let error = #expect(throws: CheckpointError.self) { try WeightFile(path: path) }
    #expect(
      error?.message
        == """
        \(path): entry state_dict_like is a dict, expected a flat dict of tensors, as \
        model.state_dict() gives
        """)
  }

  /// A zip archive with one stored entry, as torch.save makes them.
  private func archive(_ pickle: [UInt8], data: [UInt8] = []) -> Data {
    var bytes: [UInt8] = []
    var directory: [UInt8] = []
    func number(_ value: Int, _ count: Int) -> [UInt8] {
      (0..<count).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) }
    }
    for (name, contents) in [("m/data.pkl", pickle), ("m/data/0", data)] {
      let sizes = number(contents.count, 4) + number(contents.count, 4)
      let start = bytes.count
      bytes += [0x50, 0x4b, 3, 4] + number(0, 14) + sizes + number(name.utf8.count, 2) + [0, 0]
      bytes += Array(name.utf8) + contents
      directory += [0x50, 0x4b, 1, 2] + number(0, 16) + sizes + number(name.utf8.count, 2)
      directory += number(0, 12) + number(start, 4) + Array(name.utf8)
    }
    let start = bytes.count
    bytes += directory + [0x50, 0x4b, 5, 6] + number(0, 4) + number(2, 2) + number(2, 2)
    bytes += number(directory.count, 4) + number(start, 4) + [0, 0]
    return Data(bytes)
  }

  private func refusal(_ pickle: String, data: [UInt8] = []) throws -> String {
    let folder = try TemporaryFolder()
    let path = "\(folder.path)/x.bin"
    let bytes = Array(pickle.unicodeScalars).map { UInt8($0.value) }
    try archive([0x80, 2] + bytes, data: data).write(to: URL(fileURLWithPath: path))
    let error = #expect(throws: CheckpointError.self) { try WeightFile(path: path) }
    return String((error?.message ?? "").dropFirst(path.count + 2))
  }

  /// A tensor of one storage in a dictionary, as opcodes.
  private func tensor(_ count: Int, _ shape: String, _ strides: String, offset: String = "K\u{0}")
    -> String
  {
    """
    }(X\u{1}\u{0}\u{0}\u{0}actorch._utils\n_rebuild_tensor_v2\n((X\u{7}\u{0}\u{0}\u{0}storage\
    ctorch\nFloatStorage\nX\u{1}\u{0}\u{0}\u{0}0X\u{3}\u{0}\u{0}\u{0}cpuK\
    \(Character(UnicodeScalar(UInt8(count))))tQ\(offset)\(shape)\(strides)\
    \u{89}}tRu.
    """
  }

  @Test func readsAPlainTensor() throws {
    let folder = try TemporaryFolder()
    let path = "\(folder.path)/x.bin"
    let bytes = Array(tensor(2, "K\u{2}\u{85}", "K\u{1}\u{85}").unicodeScalars)
      .map { UInt8($0.value) }
    try archive([0x80, 2] + bytes, data: [0, 0, 128, 63, 0, 0, 0, 64])
      .write(to: URL(fileURLWithPath: path))
    #expect(try WeightFile(path: path).tensors[0].widened == [1, 2])
  }

  @Test func runsNothing() throws {
    let system = "cos\nsystem\nX\u{4}\u{0}\u{0}\u{0}echo\u{85}R."
    #expect(
      try refusal(system)
        == """
        unsafe or damaged pickle at byte 13: names os.system, which weights have no use for; it \
        was not called
        """)
    #expect(
      try refusal("X\u{2}\u{0}\u{0}\u{0}osX\u{6}\u{0}\u{0}\u{0}system\u{93}.").contains("os.system")
    )
    #expect(try refusal("(cos\nsystem\no.").contains("names os.system"))
    for (opcode, name) in [("i", "INST"), ("o", "OBJ"), ("\u{81}", "NEWOBJ"), ("P", "PERSID")] {
      #expect(try refusal("\(opcode)x\n.").contains("(\(name)) is not allowed in weights"))
    }
    #expect(try refusal("}K\u{1}R.").contains("calls a dict"))
    #expect(try refusal("ctorch\nFloatStorage\n)R.").contains("calls torch FloatStorage"))
  }

  @Test func refusesTensorsBeyondTheirStorage() throws {
    let data = [UInt8](repeating: 0, count: 8)
    let far = try refusal(tensor(2, "K\u{3}\u{85}", "K\u{1}\u{85}"), data: data)
    #expect(far == "tensor a: shape [3] reaches value 2 of a storage of 2")
    let stepped = try refusal(tensor(2, "K\u{2}\u{85}", "K\u{2}\u{85}"), data: data)
    #expect(stepped == "tensor a: shape [2] reaches value 2 of a storage of 2")
    let shifted = try refusal(
      tensor(2, "K\u{2}\u{85}", "K\u{1}\u{85}", offset: "K\u{1}"), data: data)
    #expect(shifted == "tensor a: shape [2] reaches value 2 of a storage of 2")
    let cut = try refusal(tensor(3, "K\u{1}\u{85}", "K\u{1}\u{85}"), data: data)
    #expect(cut.contains("storage 0 has 8 bytes, 3 values of F32 need more"))
    // 2^60 values that are all the same one.
    let size = "\u{8A}\u{8}\u{0}\u{0}\u{0}\u{0}\u{0}\u{0}\u{0}\u{10}"
    let endless = try refusal(tensor(2, "\(size)\u{85}", "K\u{0}\u{85}"), data: data)
    #expect(endless == "tensor a: shape [\(1 << 60)] has more values than any model")
    let negative = try refusal(tensor(2, "J\u{FF}\u{FF}\u{FF}\u{FF}\u{85}", "K\u{0}\u{85}"))
    #expect(negative.contains("a tensor without a storage, offset, shape and strides"))
  }

  /// An axis of one index may have any stride, and a view may not repeat its storage endlessly.
  @Test func boundsStridesAndRepetition() throws {
    let data = [UInt8](repeating: 0, count: 8)
    let folder = try TemporaryFolder()
    let path = "\(folder.path)/x.bin"
    let large = "\u{8A}\u{8}\u{0}\u{0}\u{0}\u{0}\u{0}\u{0}\u{0}\u{40}"
    let pickle = tensor(2, "K\u{2}K\u{1}\u{86}", "K\u{1}\(large)\u{86}")
    try archive([0x80, 2] + pickle.unicodeScalars.map { UInt8($0.value) }, data: data)
      .write(to: URL(fileURLWithPath: path))
    #expect(try WeightFile(path: path).tensors[0].widened == [0, 0])
    let repeated = try refusal(
      tensor(2, "J\u{0}\u{0}\u{0}\u{7F}\u{85}", "K\u{0}\u{85}"), data: data)
    #expect(repeated == "tensor a: shape [2130706432] repeats a storage of 2 values")
    // Beside a 0 nothing may be too large for the product of the others.
    let empty = try refusal(
      tensor(2, "\(large)K\u{0}\u{86}", "K\u{1}K\u{1}\u{86}"), data: data)
    #expect(empty.hasSuffix("has more values than any model"))
  }

  /// The length of a safetensors header may begin as a pickle does.
  @Test func tellsSafetensorsFromPickles() throws {
    let folder = try TemporaryFolder()
    let path = "\(folder.path)/x.safetensors"
    for length in [640, 896, 1152, 1408] {
      let header = "{\"a\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0,1]}}"
      let padded = header + String(repeating: " ", count: length - header.utf8.count)
      let size = (0..<8).map { UInt8(truncatingIfNeeded: length >> (8 * $0)) }
      try (Data(size) + Data(padded.utf8) + Data([7])).write(to: URL(fileURLWithPath: path))
      #expect(try WeightFile(path: path).tensors.map(\.name) == ["a"])
    }
    try folder.write("version https://git-lfs.github.com/spec/v1\n", to: "x.safetensors")
    let error = #expect(throws: CheckpointError.self) { try WeightFile(path: path) }
    #expect(error?.message.hasSuffix("run: git lfs pull") == true)
  }

  @Test func refusesContainersThatAreNoTree() throws {
    #expect(try refusal("]q\u{0}h\u{0}a.").contains("a list that holds itself"))
    #expect(try refusal("}q\u{0}K\u{1}h\u{0}s.").contains("a dict that holds itself"))
    // 1,000 lists in each other, and then something into one that is closed.
    let tower = String(repeating: "]", count: 1000) + String(repeating: "a", count: 999) + "."
    #expect(try refusal(tower).contains("more than 500 nested containers"))
    #expect(try refusal(")" + String(repeating: "\u{85}", count: 1000) + ".").contains("nested"))
    #expect(try refusal("]q\u{0}]h\u{0}a0.").contains("opcode 0x30"))
  }

  @Test func refusesDamagedArchives() throws {
    let folder = try TemporaryFolder()
    let good = try Data(
      contentsOf: URL(fileURLWithPath: Fixture.path("formats/views.bin")))
    let path = "\(folder.path)/x.bin"
    for length in stride(from: 4, to: good.count, by: 61) {
      try good.prefix(length).write(to: URL(fileURLWithPath: path))
      let error = #expect(throws: CheckpointError.self) { try WeightFile(path: path) }
      #expect(error?.message.hasPrefix(path) == true)
    }
    let legacy = try Data(
      contentsOf: URL(fileURLWithPath: Fixture.path("formats/views_legacy.bin")))
    for length in stride(from: 2, to: legacy.count, by: 61) {
      try legacy.prefix(length).write(to: URL(fileURLWithPath: path))
      #expect(throws: CheckpointError.self) { try WeightFile(path: path) }
    }
    // Compressed contents cannot be mapped.
    var bytes = good
    let entry = try #require(bytes.range(of: Data([0x50, 0x4b, 1, 2])))
    bytes[entry.lowerBound + 10] = 8
    try bytes.write(to: URL(fileURLWithPath: path))
    let error = #expect(throws: CheckpointError.self) { try WeightFile(path: path) }
    #expect(error?.message.contains("is compressed, expected stored contents") == true)
  }
}
