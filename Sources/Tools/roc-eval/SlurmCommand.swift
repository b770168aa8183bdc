import ArgumentParser
import RocNames
import RocTool

struct SlurmCommand: RocCommand {
  static let configuration = CommandConfiguration(
    commandName: "slurm",
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
    guard has("--checkpoint"), has("--split") else {
      throw ValidationError("Give roc-eval's own --checkpoint and --split after --.")
    }
    guard !has("--segments"), !has("--shard") else {
      throw ValidationError("--segments stands before --, and the array gives each task its shard.")
    }
    for name in ["--json", "--csv", "--latex", "--html", "--threads"] where has(name) {
      throw ValidationError(
        name == "--threads"
          ? "--cpus gives each worker its threads."
          : "\(name): a worker has no metrics; roc-eval merge gives them.")
    }
    for (name, value) in [
      ("--memory", memory), ("--time", time), ("--partition", partition ?? "x"),
    ] {
      guard !value.isEmpty, !value.contains(where: { $0.isWhitespace || $0.isNewline }) else {
        throw ValidationError("\(name): expected one word.")
      }
    }
    guard !segments.contains(where: \.isNewline), !segments.isEmpty else {
      throw ValidationError("--segments: expected a folder.")
    }
  }

  /// Whether an option stands among roc-eval's arguments, alone or as `--name=value`.
  private func has(_ name: String) -> Bool {
    arguments.contains { $0 == name || $0.hasPrefix("\(name)=") }
  }

  func execute() throws -> ExitStatus {
    let scoring = ([command] + arguments).map(ShellWord.quoted).joined(separator: " ")
    let named =
      zip(arguments, arguments.dropFirst()).first { $0.0 == "--db" }?.1
      ?? arguments.first { $0.hasPrefix("--db=") }.map { String($0.dropFirst("--db=".count)) }
    let database = named.map { " --db \(ShellWord.quoted($0))" }
    let merging =
      "\(ShellWord.quoted(command)) merge \(ShellWord.quoted(segments))\(database ?? "")"
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
      "# By number, not by the array's size, so that one task can be submitted again alone.",
      "export ROC_SHARD=\"$SLURM_ARRAY_TASK_ID/\(shards)\"",
      "\(scoring) --threads \"${SLURM_CPUS_PER_TASK:-\(cpus)}\" --segments \(ShellWord.quoted(segments))",
      "status=$?",
      "# The task that finishes last merges. Its answer is the job's: 4 says that segments disagree.",
      "if [ \"$status\" -eq 0 ] || [ \"$status\" -eq 3 ]; then",
      "  touch \(ShellWord.quoted(segments))/\"done-$SLURM_ARRAY_TASK_ID\"",
      "  exec 9> \(ShellWord.quoted("\(segments)/merge.lock"))",
      "  flock 9",
      "  for task in $(seq 1 \(shards)); do",
      "    [ -e \(ShellWord.quoted(segments))/\"done-$task\" ] || exit \"$status\"",
      "  done",
      "  \(merging) || status=$?",
      "fi",
      "exit \"$status\"",
    ]
    try Console.printData(lines.joined(separator: "\n"))
    return .done
  }
}
