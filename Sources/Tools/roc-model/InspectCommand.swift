import ArgumentParser
import RocCheckpoint
import RocFiles
import RocJSON
import RocModel
import RocTensor
import RocTool

struct InspectCommand: RocCommand {
  static let configuration = CommandConfiguration(
    commandName: "inspect",
    abstract: "Show a checkpoint's tensors, formats and hashes, and what does not fit.",
    discussion: """
      Exit code 5 says that the checkpoint cannot be used; everything that is missing or
      misshapen is listed.

      Example:
        roc-model inspect Ricardo-M/ROC4MLLM --tensors
      """)

  @Argument(help: "A folder, or a Hub name in the local cache.")
  var checkpoint: String

  @Option(help: "What an adapter is put on; else as its settings say.")
  var base: String?

  @Flag(help: "List every tensor.")
  var tensors = false

  @Flag(help: "Read no values: no SHA-256, no search for NaN.")
  var quick = false

  @Flag(help: "Print one JSON object.")
  var json = false

  func execute() throws -> ExitStatus {
    let folder = try checkpointFolder(checkpoint)
    let compute = try guarded { try Engine.compute(threads: nil) }
    let inspection = try guarded {
      try Inspection(
        folder: folder, compute: compute, base: try base.map { try HubCache.resolve($0) },
        readsValues: !quick)
    }
    if !quick {
      try guarded { try Integrity.check(inspection.checkpoint, .always) { Console.note($0) } }
    }
    let files = quick ? [] : try guarded { try inspection.checkpoint.digests() }
    let sha256 = quick ? nil : Checkpoint.sha256(of: files)
    if json {
      try Console.printData(self.json(inspection, files, sha256).pretty)
    } else {
      try Console.print(text(inspection, files, sha256))
    }
    return inspection.problems.isEmpty ? .done : .badCheckpoint
  }

  private func list(_ checkpoint: Checkpoint) -> [Tensor] {
    checkpoint.names.compactMap { checkpoint[$0] }
  }

  /// Number of values by format, the most frequent first.
  private func formats(_ tensors: [Tensor]) -> [(dtype: DType, tensors: Int, values: Int)] {
    var counts: [DType: (tensors: Int, values: Int)] = [:]
    for tensor in tensors {
      let (count, values) = counts[tensor.dtype] ?? (0, 0)
      counts[tensor.dtype] = (count + 1, values + tensor.count)
    }
    return counts.map { ($0.key, $0.value.tensors, $0.value.values) }
      .sorted { ($1.values, $0.dtype.rawValue) < ($0.values, $1.dtype.rawValue) }
  }

  private func text(
    _ inspection: Inspection, _ files: [(name: String, sha256: String)], _ sha256: String?
  ) -> String {
    let all = list(inspection.checkpoint)
    var lines = ["\(inspection.checkpoint.folder)"]
    lines += inspection.facts.map { row($0.name, $0.value) }
    for format in formats(all) {
      lines.append(
        row("tensors", "\(format.tensors) of \(format.dtype.rawValue), \(format.values) values"))
    }
    let free = availableMemory().map { " (\(memorySize($0)) free)" } ?? ""
    for need in inspection.needs {
      lines.append(row("memory as \(need.precision.rawValue)", memorySize(need.bytes) + free))
    }
    if let sha256 { lines.append(row("sha256", sha256)) }
    lines += files.map { "  \($0.sha256)  \($0.name)" }
    if tensors {
      lines += all.map { "  \($0.name)  \($0.dtype.rawValue) \($0.shape)" }
    }
    lines += inspection.checkpoint.notes.map { "note: \($0)" }
    for name in inspection.unexpected { lines.append("unexpected: \(name) is not used") }
    lines += inspection.problems
    lines.append(
      inspection.problems.isEmpty
        ? "usable: every tensor of the model is there and fits"
        : "not usable: \(inspection.problems.count) problems")
    return lines.joined(separator: "\n")
  }

  private func row(_ name: String, _ value: String) -> String {
    name + String(repeating: " ", count: max(18 - name.count, 1)) + value
  }

  private func json(
    _ inspection: Inspection, _ files: [(name: String, sha256: String)], _ sha256: String?
  ) -> JSON {
    let all = list(inspection.checkpoint)
    return [
      "schema": "roc/inspection/1",
      "checkpoint": [
        "path": .string(inspection.checkpoint.folder), "sha256": JSON(sha256),
      ],
      "facts": .object(inspection.facts.map { JSON.Member($0.name, .string($0.value)) }),
      "formats": .array(
        formats(all).map {
          [
            "dtype": .string($0.dtype.rawValue), "tensors": .int($0.tensors),
            "values": .int($0.values),
          ]
        }),
      "memory": .object(
        inspection.needs.map { JSON.Member($0.precision.rawValue, .int($0.bytes)) }),
      "files": .array(
        files.map { ["name": .string($0.name), "sha256": .string($0.sha256)] }),
      "tensors": .array(
        all.map {
          [
            "name": .string($0.name), "dtype": .string($0.dtype.rawValue),
            "shape": .array($0.shape.map { .int($0) }),
          ]
        }),
      "notes": .array(inspection.checkpoint.notes.map { .string($0) }),
      "unexpected": .array(inspection.unexpected.map { .string($0) }),
      "problems": .array(inspection.problems.map { .string($0) }),
      "usable": .bool(inspection.problems.isEmpty),
    ]
  }
}
