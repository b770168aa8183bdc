import ArgumentParser
import Foundation
import RocCheckpoint
import RocFiles
import RocJSON
import RocModel
import RocNames
import RocTensor
import RocTool

struct DoctorCommand: RocCommand {
  static let configuration = CommandConfiguration(
    commandName: "doctor",
    abstract: "Say what this machine has, and whether a checkpoint will run on it.",
    discussion: """
      Example:
        roc-model doctor --checkpoint DIR
      Exit code 4 says that something stands in the way; it is named.
      """)

  /// What a run takes besides the weights: pictures, caches, the database.
  private static let reserve = 1_000_000_000

  @Option(help: "Check memory and disk for this checkpoint.")
  var checkpoint: String?

  @Flag(help: "Print one JSON object.")
  var json = false

  func execute() throws -> ExitStatus {
    var troubles: [String] = []
    var facts: [(name: String, value: String)] = []
    func show(_ name: String, _ value: String) throws {
      facts.append((name, value))
      guard !json else { return }
      try Console.print(
        name + String(repeating: " ", count: max(16 - name.count, 1)) + value)
    }
    try show("processor", processor())
    try show("cores", "\(coreCount()) that this process may use")
    let best = try guarded { try Engine.compute(threads: 1) }
    let sets = Compute.instructionSets.map { name in
      name == best.instructionSet
        ? "\(name) (used)"
        : (try? Compute(threads: 1, instructionSet: name)) == nil
          ? "\(name) (\(name == "openblas" ? "not installed" : "not on this CPU"))" : name
    }
    try show("kernels", sets.joined(separator: ", "))
    try show(
      "auto precision", best.hasBF16 ? "bf16, which this CPU multiplies" : "f32; bf16 and int8 run")
    let cores =
      getenv("OPENBLAS_CORETYPE").map { "; OPENBLAS_CORETYPE=\(String(cString: $0))" } ?? ""
    try show("BLAS", "OpenBLAS only where the CPU has no vector kernels of ours\(cores)")
    let free = availableMemory()
    try show("memory", free.map { "\(memorySize($0)) free" } ?? "unknown")
    let folder =
      checkpoint.map { try? HubCache.resolve($0) } ?? FileManager.default.currentDirectoryPath
    if let folder {
      try show("disk", disk(folder))
      // New checkpoints are made beside the others.
      let around = [folder, PathName.folder(absolutePath(folder))]
      let left = around.flatMap { Partial.leftovers(in: $0) }
      if !left.isEmpty {
        let names = left.map { "\(PathName.base($0.path)) (\(memorySize($0.bytes)))" }
        try show(
          "left behind",
          """
          \(names.joined(separator: ", ")), by runs that were killed; the next run of the same \
          command removes them
          """)
      }
      try show("file system", fileSystem(folder))
    }
    if let checkpoint {
      let folder = try checkpointFolder(checkpoint)
      let inspection = try guarded { try Inspection(folder: folder, compute: best) }
      for need in inspection.needs {
        let fits = free.map { need.bytes <= $0 - Self.reserve } ?? true
        try show(
          "as \(need.precision.rawValue)",
          "\(memorySize(need.bytes)) of weights, \(fits ? "fits" : "does not fit")")
      }
      if let free, inspection.needs.allSatisfy({ $0.bytes > free - Self.reserve }) {
        troubles.append("\(checkpoint) does not fit the free memory in any precision")
      }
      troubles += inspection.problems
    }
    for trouble in troubles { Console.note("Error: \(trouble)") }
    guard !json else {
      let members = facts.map {
        JSON.Member($0.name.replacing(" ", with: "_").lowercased(), .string($0.value))
      }
      let report: JSON = [
        "schema": "roc/doctor/1", "facts": .object(members),
        "free_memory_bytes": JSON(free), "troubles": .array(troubles.map(JSON.string)),
      ]
      try Console.printData(report.pretty)
      return troubles.isEmpty ? .done : .checkFailed
    }
    try Console.print(troubles.isEmpty ? "nothing stands in the way" : "see above")
    return troubles.isEmpty ? .done : .checkFailed
  }

  private func processor() -> String {
    let text = (try? String(contentsOfFile: "/proc/cpuinfo", encoding: .utf8)) ?? ""
    let line = text.split(separator: "\n").first { $0.hasPrefix("model name") }
    return line?.split(separator: ":").last.map { $0.trimmingCharacters(in: .whitespaces) }
      ?? "unknown"
  }

  private func disk(_ folder: String) -> String {
    let facts = try? FileManager.default.attributesOfFileSystem(forPath: folder)
    let free = (facts?[.systemFreeSize] as? NSNumber)?.intValue
    return free.map { "\(memorySize($0)) free at \(folder)" } ?? "unknown at \(folder)"
  }

  /// The type of the longest mount point that holds the folder.
  private func fileSystem(_ folder: String) -> String {
    let path = URL(fileURLWithPath: folder).standardizedFileURL.path
    let mounts = (try? String(contentsOfFile: "/proc/mounts", encoding: .utf8)) ?? ""
    let fields = mounts.split(separator: "\n").map { $0.split(separator: " ").map(String.init) }
    let best = fields.filter { fields in
      fields.count > 2
        && (path == fields[1] || path.hasPrefix(fields[1] == "/" ? "/" : fields[1] + "/"))
    }
    .max { $0[1].count < $1[1].count }
    guard let best else { return "unknown" }
    let isRemote = ["nfs", "nfs4", "cifs", "fuse.sshfs"].contains(best[2])
    return best[2] + (isRemote ? "; mapped weights are slow over a network, copy them first" : "")
  }
}
