import Foundation
import RocData
import RocScore
import RocStore
import RocTables
import RocTestSupport
import Testing

struct ManifestTests {
  @Test func everyManifestOfTheRepositoryIsBundled() throws {
    let files = try FileManager.default.contentsOfDirectory(
      atPath: "\(Fixture.repository)/manifests"
    ).filter { $0.hasSuffix(".yaml") }
    #expect(files.sorted() == Manifest.bundledTexts.keys.map { "\($0).yaml" }.sorted())
    for name in Manifest.bundledTexts.keys {
      let manifest = try Manifest.bundled(name)
      #expect(manifest.name == name)
      #expect(!manifest.licence.isEmpty && !manifest.citation.isEmpty)
    }
  }

  @Test func knowsAVA() throws {
    let ava = try Manifest.bundled("ava")
    #expect(ava.record.range.low == 1 && ava.record.range.high == 10)
    #expect(ava.score.threshold == 5 && ava.record.threshold == 5 && ava.record.bins?.count == 10)
    #expect(ava.record.higherIsBetter && ava.defaultScheme == "official")
  }

  @Test func saysWhatIsWrong() throws {
    let text = try String(
      contentsOfFile: "\(Fixture.repository)/manifests/ava.yaml", encoding: .utf8)
    func refusal(_ yaml: String) -> String {
      let error = #expect(throws: DataError.self) { _ = try Manifest(yaml: yaml, path: "x.yaml") }
      return error?.message ?? ""
    }
    #expect(refusal("name: [").hasPrefix("x.yaml: not a dataset manifest:"))
    #expect(
      refusal(text.replacingOccurrences(of: "part: train", with: "part: training"))
        == "x.yaml: scheme official has a part training, expected train, val or test")
    #expect(
      refusal(text.replacingOccurrences(of: "default_scheme: official", with: "default_scheme: x"))
        == "x.yaml: default_scheme x is not among the schemes")
    #expect(
      refusal(text.replacingOccurrences(of: "high: 10", with: "high: 0"))
        == "x.yaml: score.low 1.0 is not below score.high 0.0")
    let unknown = #expect(throws: DataError.self) { _ = try Manifest.bundled("avaa") }
    #expect(
      unknown?.message == """
        there is no dataset called avaa; known are: \
        \(Manifest.bundledTexts.keys.sorted().joined(separator: ", ")); or give a manifest's path
        """)
  }
}
