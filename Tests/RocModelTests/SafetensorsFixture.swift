import RocCheckpoint
import RocTensor
import RocTestSupport
import Testing

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// Changes float32 tensors of a safetensors file in place.
struct SafetensorsFixture {
  @discardableResult
  init(_ path: String, _ change: (String, inout [Float]) -> Void) throws {
    var plans: [TensorPlan] = []
    for tensor in try SafetensorsFile(path: path).tensors {
      var values = tensor.widened
      change(tensor.name, &values)
      plans.append(
        TensorPlan(name: tensor.name, dtype: .f32, shape: tensor.shape, values: values))
    }
    let changed = "\(path).changed"
    try SafetensorsWriter.write(plans, to: changed)
    #expect(rename(changed, path) == 0)
  }
}
