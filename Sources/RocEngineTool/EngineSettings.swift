package import ArgumentParser
import RocCheckpoint
import RocData
import RocFiles
package import RocModel
package import RocTensor
import RocTool

/// How the arithmetic is asked for.
package enum PrecisionChoice: String, ExpressibleByArgument, CaseIterable {
  case auto
  case f32
  case bf16
  case int8

  /// Nil for the engine's own choice.
  package var precision: Precision? { Precision(rawValue: rawValue) }
}

/// How a score is read.
package enum ScoringChoice: String, ExpressibleByArgument, CaseIterable {
  case roc
  case levels
}

extension LevelScoring.Task: ExpressibleByArgument {}
extension LevelScoring.Prompt: ExpressibleByArgument {}
extension LevelScoring.Scale: ExpressibleByArgument {}

/// How a checkpoint is run and what it is asked.
package struct EngineSettings: ParsableArguments {
  @Option(help: "The adapter's base, if not the one it names.")
  package var base: String?

  @Option(help: "auto is bf16 where the CPU has it, else f32.")
  package var precision: PrecisionChoice = .auto

  @Option(help: "Pictures read ahead; decides no score.")
  package var batchSize = 4

  @Option(help: "Threads; all cores by default.")
  package var threads: Int?

  @Option(
    help: ArgumentHelp("Qwen2-VL: the most pixels of a picture.", visibility: .hidden))
  package var maxPixels: Int?

  @Option(help: "What to ask about each picture.")
  package var question: String?

  @Option(help: "By score tokens or Q-Align's words.")
  package var scoring: ScoringChoice?

  @Option(help: "What levels judge.")
  package var levelTask: LevelScoring.Task?

  @Option(help: "Q-Align's prompt.")
  package var levelPrompt: LevelScoring.Prompt?

  @Option(help: "What the five levels are worth.")
  package var levelScale: LevelScoring.Scale?

  package init() {}

  package mutating func validate() throws {
    guard (1...4096).contains(batchSize) else {
      throw ValidationError("--batch-size \(batchSize): expected 1 to 4096.")
    }
    guard threads.map({ (1...256).contains($0) }) ?? true else {
      throw ValidationError("--threads \(threads ?? 0): expected 1 to 256.")
    }
    guard question.map({ !$0.isEmpty }) ?? true else {
      throw ValidationError("--question is empty.")
    }
    // By bytes: as characters, a mark may hide behind an accent.
    guard question.map({ $0.utf8.firstRange(of: ConversationExport.mark.utf8) == nil }) ?? true
    else {
      throw ValidationError(
        "--question must not hold \(ConversationExport.mark); the picture stands before it.")
    }
    let hasLevelFlags = levelTask != nil || levelPrompt != nil || levelScale != nil
    guard scoring != .roc || !hasLevelFlags else {
      throw ValidationError(
        "--level-task, --level-prompt and --level-scale go with --scoring levels.")
    }
    guard question == nil || (scoring != .levels && !hasLevelFlags) else {
      throw ValidationError(
        "--question goes with --scoring roc; levels have questions of their own.")
    }
  }

  /// What a model is asked: levels where they are asked for, or where there are no score tokens.
  package func mode(hasScoreTokens: Bool) -> ScoringMode {
    let levels = LevelScoring(
      task: levelTask ?? .aesthetics, prompt: levelPrompt ?? .scorer,
      scale: levelScale ?? .oneToFive)
    switch scoring {
    case .levels: return .levels(levels)
    case .roc: return .scoreTokens(question: question ?? Engine.defaultQuestion)
    case nil:
      let isLevels = levelTask != nil || levelPrompt != nil || levelScale != nil
      if isLevels || (!hasScoreTokens && question == nil) { return .levels(levels) }
      return .scoreTokens(question: question ?? Engine.defaultQuestion)
    }
  }
}
