import ArgumentParser
import Foundation
import RocCheckpoint
import RocFiles
import RocJSON
import RocModel
import RocNames
import RocTensor
import RocTool

struct BenchCommand: RocCommand {
  static let configuration = CommandConfiguration(
    commandName: "bench",
    abstract: "Time vision, prefill, decoding and whole pictures against this machine's limits.",
    discussion: """
      Speeds are means of some rounds with their standard deviation; "of peak" is
      the share of what this machine does at most in registers, or reads from
      memory, at that time.

      Example:
        roc-model bench roc-int8 --format csv > results.csv
      """)

  enum Format: String, ExpressibleByArgument, CaseIterable {
    case md
    case csv
    case json
  }

  @Argument(help: "A folder, or a Hub name in the local cache.")
  var checkpoint: String

  @Option(help: "How to compute; else as auto in roc-eval.")
  var precision: Precision?

  @Option(help: "Timed rounds after one that warms up.")
  var rounds = 3

  @Option(help: "Qwen2-VL: the most pixels of a picture.")
  var maxPixels: Int?

  @Option(help: "Also time reading and preparing this picture.")
  var picture: String?

  @Option(help: "md, csv or json.")
  var format: Format = .md

  @OptionGroup var options: ComputeOptions

  mutating func validate() throws {
    guard (1...10_000).contains(rounds) else {
      throw ValidationError("--rounds \(rounds): expected 1 to 10000.")
    }
  }

  /// A measured part beside the limit that holds it back.
  private struct Line {
    let row: EngineBenchmark.Row
    let limit: Double?

    /// Operations, or bytes, a second.
    var speed: Double? {
      let work = row.bytes > 0 ? row.bytes : row.operations
      return work > 0 ? work / row.mean : nil
    }
    var unit: String { row.bytes > 0 ? "GB/s" : "GFLOP/s" }
    var share: Double? { speed.flatMap { speed in limit.map { speed / $0 } } }
  }

  func execute() throws -> ExitStatus {
    if let picture, !fileExists(picture) {
      throw CommandError(.dataMissing, "\(picture): no such picture")
    }
    let folder = try checkpointFolder(checkpoint)
    let compute = try options.compute()
    let clock = ContinuousClock()
    let start = clock.now
    let engine = try guarded {
      var loader = try ModelLoader(folder: folder, compute: compute, precision: precision)
      loader.mostPixels = maxPixels
      return try Engine(loader, compute: compute)
    }
    let loading = (clock.now - start) / .seconds(1)
    let limits = MachineLimits(compute)
    let peak = limits.operations(engine.precision)
    let bandwidth = limits.readBandwidth()
    var lines: [Line] = []
    // On a shared machine the limit moves within seconds: each part is held against the better of
    // those right before and right after it.
    var before = peak
    try guarded {
      try EngineBenchmark(engine, rounds: rounds).run(picture: picture) { row in
        Console.note("\(row.name): \(fixed(row.mean)) s")
        let after = limits.operations(engine.precision, rounds: 2)
        let reading = row.bytes > 0 ? max(bandwidth, limits.readBandwidth()) : 0
        lines.append(
          Line(
            row: row,
            limit: row.bytes > 0 ? reading : row.operations > 0 ? max(before, after) : nil))
        before = after
      }
    }
    let facts: [(String, String)] = [
      ("checkpoint", checkpoint), ("precision", engine.precision.rawValue),
      ("kernels", compute.instructionSet), ("threads", "\(compute.threads)"),
      ("peak", "\(fixed(peak / 1e9, 0)) Gop/s"), ("reading", "\(fixed(bandwidth / 1e9)) GB/s"),
      ("loading", "\(fixed(loading)) s"), ("peak resident", memorySize(peakResidentMemory())),
      ("roc", Engine.version),
    ]
    switch format {
    case .md: try Console.print(markdown(lines, facts))
    case .csv: try Console.print(csv(lines, engine, compute))
    case .json: try Console.print(json(lines, facts, peak, bandwidth, loading).pretty)
    }
    return .done
  }

  private func fixed(_ value: Double, _ digits: Int = 3) -> String {
    String(format: "%.\(digits)f", value)
  }

  private func markdown(_ lines: [Line], _ facts: [(String, String)]) -> String {
    let head = facts.map { "\($0.0) \($0.1)" }.joined(separator: ", ")
    let rows = lines.map { line in
      let speed = line.speed.map { "\(fixed($0 / 1e9, 1)) \(line.unit)" } ?? ""
      let share = line.share.map { "\(fixed(100 * $0, 0)) %" } ?? ""
      return """
        | \(line.row.name) | \(fixed(line.row.mean)) ± \(fixed(line.row.deviation)) | \
        \(fixed(1 / line.row.mean)) | \(speed) | \(share) |
        """
    }
    return
      ([
        head, "", "| part | seconds | a second | speed | of peak |", "|---|---:|---:|---:|---:|",
      ] + rows).joined(separator: "\n")
  }

  private func csv(_ lines: [Line], _ engine: Engine, _ compute: Compute) -> String {
    let rows = lines.map { line in
      [
        Escaped.csv(checkpoint), engine.precision.rawValue, compute.instructionSet,
        "\(compute.threads)",
        line.row.name.filter { $0 != "," }, "\(line.row.mean)", "\(line.row.deviation)",
        line.speed.map { "\($0)" } ?? "", line.share.map { "\($0)" } ?? "",
      ]
      .joined(separator: ",")
    }
    let header =
      "checkpoint,precision,kernels,threads,part,seconds,deviation,work_per_second,share_of_peak"
    return ([header] + rows).joined(separator: "\n")
  }

  private func json(
    _ lines: [Line], _ facts: [(String, String)], _ peak: Double, _ bandwidth: Double,
    _ loading: Double
  ) -> JSON {
    [
      "schema": "roc/bench/1",
      "facts": .object(facts.map { JSON.Member($0.0, .string($0.1)) }),
      "peak_operations_per_second": .double(peak),
      "read_bytes_per_second": .double(bandwidth), "loading_seconds": .double(loading),
      "parts": .array(
        lines.map { line in
          [
            "part": .string(line.row.name), "seconds": .double(line.row.mean),
            "deviation": .double(line.row.deviation),
            "rounds": .array(line.row.seconds.map { .double($0) }),
            "operations": .double(line.row.operations), "bytes": .double(line.row.bytes),
            "limit": line.limit.map { .double($0) } ?? .null,
            "share_of_peak": line.share.map { .double($0) } ?? .null,
          ]
        }),
    ]
  }
}
