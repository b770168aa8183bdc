import ArgumentParser
import RocData
import RocEvaluation
import RocJSON
import RocMetrics
import RocScore
import RocStore
import RocTool

/// How intervals are resampled.
struct BootstrapOptions: ParsableArguments {
  @Option(help: "Resamples behind the intervals; 0 leaves the formulas'.")
  var resamples = 10_000

  @Option(help: "Decides the resamples.")
  var seed: UInt64 = 1

  mutating func validate() throws {
    guard resamples == 0 || (100...1_000_000).contains(resamples) else {
      throw ValidationError("--resamples \(resamples): expected 0, or 100 to 1000000.")
    }
  }

  var resampling: Resampling { Resampling(count: resamples, seed: seed) }
}

/// Where ground truth comes from when a file of predictions has none.
struct TruthOptions: ParsableArguments {
  @Option(help: "A file with image and gt_score, for predictions without.")
  var groundTruth: String?

  @Option(help: "The dataset that holds the ground truth.")
  var dataset: String?

  @Option(help: "Its split, scheme/part or a part of the default scheme; default: all.")
  var split: String?

  @Flag(help: "Also take names that differ in Unicode form, letter case or leading zeros.")
  var looseNames = false

  @OptionGroup var database: DatabaseOptions

  mutating func validate() throws {
    guard groundTruth == nil || dataset == nil else {
      throw ValidationError("--ground-truth and --dataset both give the ground truth.")
    }
  }

  /// Where the ground truth is from; nil for the file's own.
  var source: String? {
    groundTruth ?? dataset.map { "\($0)\(split.map { " \($0)" } ?? "")" }
  }

  /// The ground truth, its dataset, and the split's whole name.
  func labels() throws -> (GroundTruth?, DatasetRecord?, split: SplitName?) {
    if let groundTruth {
      return (try GroundTruth(path: groundTruth, isLoose: looseNames), nil, nil)
    }
    guard let dataset else { return (nil, nil, nil) }
    let store = try database.open(readOnly: true)
    let record = try store.dataset(dataset)
    let all = try store.samples(record).samples
    guard let split else {
      return (
        GroundTruth(all, record, source: source ?? dataset, isLoose: looseNames), record, nil
      )
    }
    let (name, samples) = try store.samples(record, split: split)
    let truth = GroundTruth(
      samples, record, source: source ?? dataset, all: all, isLoose: looseNames)
    return (truth, record, name)
  }
}

/// A file of predictions, or standard input.
enum PredictionInput {
  static func read(_ path: String) throws -> PredictionFile {
    guard path == "-" else { return try PredictionFile(path: path) }
    return try StandardInput.readAll().withUnsafeBytes {
      try PredictionFile($0, name: "standard input")
    }
  }
}

extension PredictionFile.Pairs {
  /// Says what was folded or overruled.
  func noteDuplicates(_ name: String) {
    if duplicates > 0 {
      Console.note(
        "Warning: \(name): \(duplicates) records repeat another's picture and count once")
    }
    if overruled > 0 {
      Console.note(
        "Warning: \(name): \(overruled) records have another gt_score; the given ground truth counts"
      )
    }
  }
}
