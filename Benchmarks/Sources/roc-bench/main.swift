import CRocKernels
import Foundation
import Roc

// Measures products, attention and scoring beside this machine's limits in the same run, and prints
// Markdown. Medians of seven rounds; "noise" is median / best. `roc-model bench` measures whole
// checkpoints.
let threads = ProcessInfo.processInfo.activeProcessorCount
guard let team = roc_team_create(threads) else { exit(1) }
nonisolated(unsafe) let best = roc_kernels_best().pointee

/// Runs a closure once for each thread of the team, at once.
func onAll(_ body: @escaping @Sendable (Int) -> Void) {
  final class Box: Sendable {
    let body: @Sendable (Int) -> Void
    init(_ body: @escaping @Sendable (Int) -> Void) { self.body = body }
  }
  let box = Box(body)
  roc_team_run(
    team, threads,
    { context, tile, _ in Unmanaged<Box>.fromOpaque(context).takeUnretainedValue().body(tile) },
    Unmanaged.passUnretained(box).toOpaque())
  extendLifetime(box)
}

print("# \(processorName()), \(threads) threads, \(ISO8601DateFormatter().string(from: Date()))\n")
let environment = ProcessInfo.processInfo.environment
let blas = environment["OPENBLAS_CORETYPE"].map { ", OPENBLAS_CORETYPE=\($0) (not used)" } ?? ""
print("Kernels: \(String(cString: best.name))\(blas)\n")

/// Operations a second at most, in registers: one short trial.
func peak(_ format: roc_dtype) -> Double {
  let rounds = 200_000
  let operations = best.peak(format, 1)
  let start = ContinuousClock.now
  onAll { _ in _ = best.peak(format, rounds) }
  let seconds = (ContinuousClock.now - start) / .seconds(1)
  return Double(threads) * operations * Double(rounds) / seconds
}

/// Seconds of `work`, and its share of the peak that was measured right before it in each round:
/// on a shared machine the limit itself moves within seconds.
func against(
  _ format: roc_dtype, rounds: Int, operations: Double, _ work: () -> Void
) -> (median: Double, share: Double, noise: Double) {
  work()
  var seconds: [Double] = []
  var shares: [Double] = []
  for _ in 0..<rounds {
    let limit = max(peak(format), peak(format))
    let start = ContinuousClock.now
    work()
    let time = (ContinuousClock.now - start) / .seconds(1)
    seconds.append(time)
    shares.append(operations / time / limit)
  }
  seconds.sort()
  shares.sort()
  let median = seconds[rounds / 2]
  return (median, shares[rounds / 2], median / seconds[0])
}

let formats = [("f32", ROC_F32), ("bf16", ROC_BF16), ("int8", ROC_INT8)]
var peaks: [String: Double] = [:]
for (name, format) in formats { peaks[name] = (0..<9).map { _ in peak(format) }.max() }
print("| at most | f32 | bf16 | int8 | reading |\n|---|---:|---:|---:|---:|")

let memory = [Float](repeating: 1, count: 64 << 20)
let half = memory.count / threads
let reading = Measure {
  memory.withUnsafeBufferPointer { buffer in
    nonisolated(unsafe) let base = buffer.baseAddress
    onAll { tile in
      if let base { _ = best.read(base + tile * half, half) }
    }
  }
}
let bandwidth = Double(memory.count) * 4 / reading.best
let shown = formats.map { "\(Int((peaks[$0.0] ?? 0) / 1e9)) Gop/s" }.joined(separator: " | ")
print("| \(threads) threads | \(shown) | \(Int(bandwidth / 1e9)) GB/s |\n")

print("| product | format | kernels | Gop/s | of peak | GB/s of weights | of reading | noise |")
print("|---|---|---|---:|---:|---:|---:|---:|")
for (name, m, n, k) in [
  ("vision, 1025 x 1024 -> 4096", 1025, 4096, 1024),
  ("vision, 1025 x 4096 -> 1024", 1025, 1024, 4096),
  ("language, 93 x 4096 -> 11008", 93, 11008, 4096),
  ("language, 93 x 11008 -> 4096", 93, 4096, 11008),
  ("decoding, 1 x 4096 -> 11008", 1, 11008, 4096),
] {
  let a = (0..<m * k).map { Float($0 % 251) / 251 - 0.5 }
  let weights = (0..<n * k).map { Float($0 % 241) / 241 - 0.5 }
  var result = [Float](repeating: 0, count: m * n)
  for (formatName, format) in formats {
    let bytes = roc_packed_bytes(format, n, k)
    let packed = UnsafeMutableRawPointer.allocate(byteCount: bytes, alignment: 64)
    defer { packed.deallocate() }
    guard roc_pack(team, weights, ROC_F32, n, k, format, packed) == 1 else { exit(1) }
    var index = 0
    while let set = roc_kernels_name(index) {
      index += 1
      guard let kernels = roc_kernels_named(set) else { continue }
      let isBest = kernels == roc_kernels_best()
      let scratch = UnsafeMutableRawPointer.allocate(
        byteCount: roc_product_scratch(kernels, format, m, k) + 64, alignment: 64)
      defer { scratch.deallocate() }
      let time = a.withUnsafeBufferPointer { a in
        result.withUnsafeMutableBufferPointer { result in
          guard let input = a.baseAddress, let output = result.baseAddress else { exit(1) }
          return against(
            format, rounds: isBest ? 9 : 3, operations: 2 * Double(m * n * k)
          ) {
            var product = roc_product(
              a: input, lda: k, m: m, packed: packed, format: format, n: n, k: k, bias: nil,
              finish: ROC_STORE, c: output, ldc: n)
            roc_linear(team, kernels, &product, scratch)
          }
        }
      }
      let rate = 2 * Double(m * n * k) / time.median
      let stream = Double(bytes) / time.median
      let share = isBest ? "\(Int(100 * time.share)) %" : ""
      let read = isBest && m == 1 ? "\(Int(100 * stream / bandwidth)) %" : ""
      print(
        "| \(name) | \(formatName) | \(String(cString: set)) | \(Int(rate / 1e9)) | \(share) "
          + "| \(Int(stream / 1e9)) | \(read) | \(String(format: "%.2f", time.noise)) |")
    }
  }
}

print("\n| attention | format | Gop/s | of its peak | noise |\n|---|---|---:|---:|---:|")
for (name, format, queries, keys, heads, width, visible) in [
  ("vision: 1025 queries and keys, 16 heads of 64", ROC_F32, 1025, 1025, 16, 64, 0),
  ("vision: 1025 queries and keys, 16 heads of 64", ROC_BF16, 1025, 1025, 16, 64, 0),
  ("language: 93 queries, 128 keys, 32 heads of 128", ROC_F32, 93, 128, 32, 128, 36),
] {
  let size = heads * width
  let values = (0..<keys * size).map { Float($0 % 251) / 251 - 0.5 }
  var output = [Float](repeating: 0, count: queries * size)
  let time = values.withUnsafeBufferPointer { values in
    output.withUnsafeMutableBufferPointer { output in
      guard let input = values.baseAddress, let result = output.baseAddress else { exit(1) }
      var shape = roc_attention(
        format: format, query: input, key: input, value: input, output: result, query_stride: size,
        key_stride: size, value_stride: size, output_stride: size, query_head: width,
        key_head: width, value_head: width, queries: queries, keys: keys, heads: heads, group: 1,
        width: width, scale: 0.1, first_visible: visible, hidden: nil)
      let scratch = UnsafeMutablePointer<Float>.allocate(
        capacity: roc_attention_scratch(roc_kernels_best(), &shape) * threads)
      defer { scratch.deallocate() }
      return against(format, rounds: 9, operations: 4 * Double(queries * keys * size)) {
        roc_attend(team, roc_kernels_best(), &shape, scratch)
      }
    }
  }
  let rate = 4 * Double(queries * keys * size) / time.median
  print(
    "| \(name) | \(format == ROC_F32 ? "f32" : "bf16") | \(Int(rate / 1e9)) | \(Int(100 * time.share)) % "
      + "| \(String(format: "%.2f", time.noise)) |")
}

let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
  .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
let images = root.appendingPathComponent("Tests/Fixtures/reference/images")
let pictures = try FileManager.default.contentsOfDirectory(atPath: images.path)
  .filter { $0.hasSuffix(".jpg") || $0.hasSuffix(".png") }.sorted()
  .map { images.appendingPathComponent($0).path }
print("\n| scoring with the demo checkpoint | pictures/s | noise |\n|---|---:|---:|")
for precision in [Assessment.Precision.f32, .bf16, .int8] {
  let assessment = try Assessment(
    checkpoint: root.appendingPathComponent("Examples/demo-checkpoint").path,
    precision: precision)
  let scoring = try Measure { _ = try assessment(pictures) }
  print(
    """
    | \(pictures.count) test pictures, from file to score, \(precision) | \
    \(Int(Double(pictures.count) / scoring.median)) | \(scoring.noise) |
    """)
}
