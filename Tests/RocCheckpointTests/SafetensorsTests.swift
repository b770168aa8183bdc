import Foundation
import RocCheckpoint
import RocTensor
import RocTestSupport
import Testing

/// A safetensors file with this header and so many zero bytes of data.
func safetensors(_ header: String, data: Int) -> Data {
  var length = UInt64(header.utf8.count).littleEndian
  return Data(bytes: &length, count: 8) + Data(header.utf8) + Data(count: data)
}

struct SafetensorsTests {
  static let formats = DType.allCases.map(\.rawValue).joined(separator: " ")

  @Test func readsEveryFloatFormat() throws {
    let folder = try TemporaryFolder()
    var file = safetensors(
      """
      {"__metadata__": {"format": "pt"}, "a": {"dtype": "F32", "shape": [1, 2], \
      "data_offsets": [0, 8]}, "b": {"dtype": "BF16", "shape": [2], "data_offsets": [8, 12]}, \
      "c": {"dtype": "F16", "shape": [], "data_offsets": [12, 14]}, \
      "e": {"dtype": "F32", "shape": [0, 3], "data_offsets": [14, 14]}}
      """, data: 0)
    file += Data([0, 0, 0x80, 0x3F, 0, 0, 0, 0xC0, 0x80, 0x3F, 0x00, 0x40, 0x00, 0x3C])
    let path = try folder.write(file, to: "x.safetensors")
    let read = try SafetensorsFile(path: path)
    #expect(read.metadata == ["format": "pt"])
    #expect(read.tensors.map(\.name) == ["a", "b", "c", "e"])
    #expect(read.tensors[0].widened == [1, -2])
    #expect(read.tensors[1].widened == [1, 2])
    #expect(read.tensors[2].widened == [1])
    #expect(read.tensors[3].widened == [])
    #expect(read.tensors[3].shape == [0, 3])
  }

  @Test(arguments: [
    (
      "{\"a\": {\"dtype\": \"F32\", \"shape\": [4], \"data_offsets\": [0, 16]}}", 12,
      """
      tensor a: data up to byte 16, but the file holds 12 bytes of data; it is cut short, \
      download it again
      """
    ),
    (
      "{\"a\": {\"dtype\": \"F32\", \"shape\": [3], \"data_offsets\": [0, 16]}}", 16,
      "tensor a: 16 bytes for shape [3] of F32"
    ),
    (
      """
      {"a": {"dtype": "U8", "shape": [4], "data_offsets": [0, 4]}, \
      "b": {"dtype": "U8", "shape": [4], "data_offsets": [3, 7]}}
      """, 8, "tensors a and b overlap"
    ),
    (
      "{\"a\": {\"dtype\": \"F8\", \"shape\": [1], \"data_offsets\": [0, 1]}}", 1,
      "tensor a: dtype \"F8\", expected one of \(formats)"
    ),
    (
      """
      {"a": {"dtype": "F32", "shape": [1152921504606846976, 16], "data_offsets": [0, 4]}}
      """, 4, "tensor a: a shape of more values than fit in 64 bits"
    ),
    (
      "{\"a\": {\"dtype\": \"F32\", \"shape\": [-1], \"data_offsets\": [0, 4]}}", 4,
      "tensor a: shape [-1], expected sizes of 0 or more"
    ),
    ("[1]", 0, "the header is an array, expected an object"),
    (
      "{\"a\": ", 0,
      "the header is not JSON: line 1, column 7: the text ends where a value is expected"
    ),
    (
      """
      {"a": {"dtype": "U8", "shape": [1], "data_offsets": [0, 1]}, \
      "a": {"dtype": "U8", "shape": [1], "data_offsets": [1, 2]}}
      """, 2, "tensor a is listed twice"
    ),
  ])
  func refusesHeadersThatLie(_ header: String, _ data: Int, _ message: String) throws {
    let folder = try TemporaryFolder()
    let path = try folder.write(safetensors(header, data: data), to: "x.safetensors")
    let error = #expect(throws: CheckpointError.self) { try SafetensorsFile(path: path) }
    #expect(error?.message == "\(path): \(message)")
  }

  @Test func refusesFilesThatAreNoSafetensors() throws {
    let folder = try TemporaryFolder()
    let short = try folder.write("abc", to: "short.safetensors")
    #expect(
      #expect(throws: CheckpointError.self) { try SafetensorsFile(path: short) }?.message
        == "\(short): 3 bytes, too short for a safetensors file; download it again")
    let text = try folder.write("hello, this is a text", to: "text.safetensors")
    let error = #expect(throws: CheckpointError.self) { try SafetensorsFile(path: text) }
    #expect(error?.message.contains("the header claims") == true)
    #expect(throws: CheckpointError.self) { try SafetensorsFile(path: folder.path) }
  }

  /// Cuts and flips of a real file end in an error or in tensors that lie inside the file.
  @Test func survivesDamageAnywhere() throws {
    let folder = try TemporaryFolder()
    let header = """
      {"a": {"dtype": "F32", "shape": [2, 2], "data_offsets": [0, 16]}, "b": {"dtype": "F16", \
      "shape": [3], "data_offsets": [16, 22]}}
      """
    let whole = safetensors(header, data: 22)
    var survivors = 0
    for position in 0..<whole.count {
      for change in [0x01, 0x80, 0xFF] as [UInt8] {
        var damaged = whole
        damaged[position] ^= change
        let path = try folder.write(damaged, to: "x.safetensors")
        guard let read = try? SafetensorsFile(path: path) else { continue }
        survivors += 1
        for tensor in read.tensors {
          #expect(tensor.byteCount <= 22)
          if [.f32, .f16, .bf16].contains(tensor.dtype) {
            #expect(tensor.widened.count == tensor.count)
          }
        }
      }
    }
    #expect(survivors > 0)
    for length in 0..<whole.count {
      let path = try folder.write(whole.prefix(length), to: "x.safetensors")
      #expect(throws: CheckpointError.self) { try SafetensorsFile(path: path) }
    }
  }
}
