import Foundation
import RocJSON
import RocModel
import RocNames

/// What `roc-model bench` measured, in the forms that it prints.
struct BenchTable {
  /// A measured part beside the limit that holds it back.
  struct Line {
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

  let lines: [Line]
  /// Of the machine and the model, by name.
  let facts: [(String, String)]
  /// Operations a second, at most.
  let peak: Double
  /// Bytes read a second, at most.
  let bandwidth: Double
  /// Seconds until the model was loaded.
  let loading: Double

  static func fixed(_ value: Double, _ digits: Int = 3) -> String {
    String(format: "%.\(digits)f", value)
  }

  var markdown: String {
    let head = facts.map { "\($0.0) \($0.1)" }.joined(separator: ", ")
    let rows = lines.map { line in
      let speed = line.speed.map { "\(Self.fixed($0 / 1e9, 1)) \(line.unit)" } ?? ""
      let share = line.share.map { "\(Self.fixed(100 * $0, 0)) %" } ?? ""
      return """
        | \(line.row.name) | \(Self.fixed(line.row.mean)) ± \(Self.fixed(line.row.deviation)) | \
        \(Self.fixed(1 / line.row.mean)) | \(speed) | \(share) |
        """
    }
    return
      ([
        head, "", "| part | seconds | a second | speed | of peak |", "|---|---:|---:|---:|---:|",
      ] + rows).joined(separator: "\n")
  }

  private func fact(_ name: String) -> String { facts.first { $0.0 == name }?.1 ?? "" }

  var csv: String {
    let rows = lines.map { line in
      [
        Escaped.csv(fact("checkpoint")), fact("precision"), fact("kernels"), fact("threads"),
        line.row.name.filter { $0 != "," }, "\(line.row.mean)", "\(line.row.deviation)",
        line.speed.map { "\($0)" } ?? "", line.share.map { "\($0)" } ?? "",
      ]
      .joined(separator: ",")
    }
    let header =
      "checkpoint,precision,kernels,threads,part,seconds,deviation,work_per_second,share_of_peak"
    return ([header] + rows).joined(separator: "\n")
  }

  var json: JSON {
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
