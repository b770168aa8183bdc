import ArgumentParser
import RocModel

extension ModelPreset: ExpressibleByArgument {
  /// The preset of that name.
  public init?(argument: String) {
    guard let found = ModelPreset.named(argument) else { return nil }
    self = found
  }

  /// For help and completion.
  public static var allValueStrings: [String] { all.map(\.name) }
  /// How the help shows the default.
  public var defaultValueDescription: String { name }
}
