import ArgumentParser
import RocTool

struct Slurm: RocCommand {
  static let configuration = CommandConfiguration(
    abstract: "Print a Slurm job that scores a split in shards and merges them.",
    discussion: """
      Everything after -- goes to roc-eval as it is.

      Example:
        roc-eval slurm --shards 16 -- --checkpoint DIR --dataset ava --split test | sbatch
      """)

  @Option(help: "Workers, each a task of the array.")
  var shards = 8

  @Option(help: "Cores of a worker.")
  var cpus = 2

  @Option(help: "Memory of a worker.")
  var memory = "20G"

  @Option(help: "Time limit; a worker that is stopped continues when it is started again.")
  var time = "04:00:00"

  @Option(help: "The partition.")
  var partition: String?

  @Option(help: "The folder of the segments.")
  var segments = "segments"

  @Option(help: "The command to run.")
  var command = "roc-eval"

  @Argument(parsing: .postTerminator, help: "Arguments of roc-eval.")
  var arguments: [String] = []

  mutating func validate() throws {
    guard (1...10_000).contains(shards) else {
      throw ValidationError("--shards \(shards): expected 1 to 10000.")
    }
    guard (1...1024).contains(cpus) else {
      throw ValidationError("--cpus \(cpus): expected 1 to 1024.")
    }
    guard arguments.contains("--checkpoint"), arguments.contains("--split") else {
      throw ValidationError("Give roc-eval's own --checkpoint and --split after --.")
    }
    guard !arguments.contains("--segments"), !arguments.contains("--shard") else {
      throw ValidationError("--segments stands before --, and the array gives each task its shard.")
    }
  }

  func execute() throws -> ExitStatus {
    let scoring = ([command] + arguments).map(Self.quoted).joined(separator: " ")
    let database = zip(arguments, arguments.dropFirst()).first { $0.0 == "--db" }.map {
      " --db \(Self.quoted($0.1))"
    }
    let merging = "\(Self.quoted(command)) merge \(Self.quoted(segments))\(database ?? "")"
    var lines = [
      "#!/bin/bash", "#SBATCH --job-name=roc-eval", "#SBATCH --array=1-\(shards)",
      "#SBATCH --cpus-per-task=\(cpus)", "#SBATCH --mem=\(memory)", "#SBATCH --time=\(time)",
      "#SBATCH --output=roc-eval-%A_%a.log",
    ]
    if let partition { lines.append("#SBATCH --partition=\(partition)") }
    lines += [
      "# Each task writes its own segment; a task that is requeued goes on where it stopped.",
      "#SBATCH --requeue",
      "set -u",
      "\(scoring) --threads \"${SLURM_CPUS_PER_TASK:-\(cpus)}\" --segments \(Self.quoted(segments))",
      "status=$?",
      "# The last task to finish finds all pictures there and merges; the others are refused.",
      "if [ \"$status\" -eq 0 ] || [ \"$status\" -eq 3 ]; then",
      "  (flock 9; \(merging)) 9> \(Self.quoted("\(segments)/merge.lock")) || true",
      "fi",
      "exit \"$status\"",
    ]
    try Console.print(lines.joined(separator: "\n"))
    return .done
  }

  /// A word of a shell command.
  private static func quoted(_ word: String) -> String {
    let plain = word.utf8.allSatisfy { byte in
      (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte)
        || "-_./=:,@%+".utf8.contains(byte)
    }
    return plain && !word.isEmpty ? word : "'" + word.replacing("'", with: "'\\''") + "'"
  }
}
