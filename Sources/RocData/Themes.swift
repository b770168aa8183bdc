import RocJSON
package import RocStore

/// What pictures are of: AVA's semantic tags, TAD66K's themes, PARA's semantics and the like.
package struct Themes: Sendable {
  /// The columns that other datasets keep a theme in.
  private static let columns = ["theme", "semantic", "scene", "category", "sort", "style"]

  private var bySample: [Int64: [String]] = [:]

  package init(_ store: Store, _ dataset: DatasetRecord, samples: [SampleRecord]) throws {
    let (extras, vocabularies) = try store.extras(of: dataset)
    let tags = vocabularies["tag"] ?? [:]
    for sample in samples {
      guard let text = extras[sample.id], let extra = try? JSON.parse(text) else { continue }
      var names = ["tag1", "tag2"].compactMap { extra[$0]?.int.flatMap { tags[$0] } }
      if names.isEmpty, let column = Self.columns.first(where: { extra[$0] != nil }) {
        names = [extra[column]?.string].compactMap { $0 }.filter { !$0.isEmpty }
      }
      if !names.isEmpty { bySample[sample.id] = names }
    }
  }

  package var isEmpty: Bool { bySample.isEmpty }

  package subscript(sample: Int64) -> [String] { bySample[sample] ?? [] }
}
