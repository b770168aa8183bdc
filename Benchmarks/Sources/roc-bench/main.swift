import CPeak
import CRocKernels
import Foundation
import Roc

// Measures products and scoring beside this machine's limits in the same run, and prints Markdown.
// Medians of seven rounds; "noise" is median / best.
let threads = ProcessInfo.processInfo.activeProcessorCount
guard let team = roc_team_create(threads) else { exit(1) }

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

let rounds = 20_000_000
let peak = Measure { onAll { _ in _ = peak_flops(rounds) } }
let peakRate = Double(threads) * 2 * Double(24 * rounds) / peak.best / 1e9
let lanes = Double(peak_flops(1)) / 48
let peakGFLOPs = peakRate * lanes
print("Peak of fused multiply-adds: \(Int(peakGFLOPs)) GFLOP/s\n")

let memory = [Float](repeating: 1, count: 64 << 20)
let half = memory.count / threads
let reading = Measure {
  memory.withUnsafeBufferPointer { buffer in
    nonisolated(unsafe) let base = buffer.baseAddress
    onAll { tile in
      if let base { _ = peak_read(base + tile * half, half) }
    }
  }
}
let bandwidth = Double(memory.count) * 4 / reading.best / 1e9
print("Read bandwidth: \(Int(bandwidth)) GB/s\n")

print("| product, f32 | kernels | GFLOP/s | of peak | GB/s of weights | noise |")
print("|---|---|---:|---:|---:|---:|")
for (name, m, n, k) in [
  ("vision, 1025 x 1024 -> 4096", 1025, 4096, 1024),
  ("language, 93 x 4096 -> 11008", 93, 11008, 4096),
  ("decoding, 1 x 4096 -> 11008", 1, 11008, 4096),
] {
  let a = [Float](repeating: 0.5, count: m * k)
  let weights = [Float](repeating: 0.25, count: n * k)
  var packed = [Float](repeating: 0, count: roc_packed_count(n, k))
  var result = [Float](repeating: 0, count: m * n)
  roc_pack(team, weights, ROC_F32, n, k, &packed)
  for set in ["portable", "avx2", "avx512"] {
    guard let kernels = roc_kernels_named(set) else { continue }
    let time = Measure(rounds: set == "portable" ? 3 : 7) {
      roc_linear(team, kernels, a, k, m, packed, n, k, nil, &result, n)
    }
    let rate = 2 * Double(m * n * k) / time.median / 1e9
    let stream = 4 * Double(n * k) / time.median / 1e9
    print(
      "| \(name) | \(set) | \(Int(rate)) | \(Int(100 * rate / peakGFLOPs)) % | \(Int(stream)) "
        + "| \(time.noise) |")
  }
}

let examples = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
  .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
let images = examples.appendingPathComponent("Tests/Fixtures/reference/images")
let pictures = try FileManager.default.contentsOfDirectory(atPath: images.path)
  .filter { $0.hasSuffix(".jpg") || $0.hasSuffix(".png") }.sorted()
  .map { images.appendingPathComponent($0).path }
let assessment = try Assessment(
  checkpoint: examples.appendingPathComponent("Examples/demo-checkpoint").path)
let scoring = try Measure { _ = try assessment(pictures) }
print(
  """

  | scoring with the demo checkpoint | pictures/s | noise |
  |---|---:|---:|
  | \(pictures.count) test pictures, from file to score | \
  \(Int(Double(pictures.count) / scoring.median)) | \(scoring.noise) |
  """)
