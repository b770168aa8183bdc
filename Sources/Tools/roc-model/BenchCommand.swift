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
    var lines: [BenchTable.Line] = []
    // On a shared machine the limit moves within seconds: each part is compared with the better of
    // those right before and right after it.
    var before = peak
    try guarded {
      try EngineBenchmark(engine, rounds: rounds).run(picture: picture) { row in
        Console.note("\(row.name): \(BenchTable.fixed(row.mean)) s")
        let after = limits.operations(engine.precision, rounds: 2)
        let reading = row.bytes > 0 ? max(bandwidth, limits.readBandwidth()) : 0
        lines.append(
          BenchTable.Line(
            row: row,
            limit: row.bytes > 0 ? reading : row.operations > 0 ? max(before, after) : nil))
        before = after
      }
    }
    let facts: [(String, String)] = [
      ("checkpoint", checkpoint), ("precision", engine.precision.rawValue),
      ("kernels", compute.instructionSet), ("threads", "\(compute.threads)"),
      ("peak", "\(BenchTable.fixed(peak / 1e9, 0)) Gop/s"),
      ("reading", "\(BenchTable.fixed(bandwidth / 1e9)) GB/s"),
      ("loading", "\(BenchTable.fixed(loading)) s"),
      ("peak resident", memorySize(peakResidentMemory())),
      ("roc", Engine.version),
    ]
    let table = BenchTable(
      lines: lines, facts: facts, peak: peak, bandwidth: bandwidth, loading: loading)
    switch format {
    case .md: try Console.print(table.markdown)
    case .csv: try Console.printData(table.csv)
    case .json: try Console.printData(table.json.pretty)
    }
    return .done
  }
}
