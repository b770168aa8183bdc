import Foundation
import GRDB
import RocTestSupport
import Testing

/// The same files in any order give the same pictures in the same parts.
struct ImportOrderTests {
  private func members(_ database: String) throws -> [String] {
    try DatabaseQueue(path: database).read {
      try String.fetchAll(
        $0,
        sql: """
          SELECT split_schemes.name || '/' || part || ' ' || key FROM split_members
          JOIN split_schemes ON split_schemes.id = scheme JOIN samples ON samples.id = sample
          UNION ALL SELECT name || ' ' || listed || ' ' || unlabelled FROM lists ORDER BY 1
          """)
    }
  }

  @Test func partsDoNotDependOnTheOrderOfAVAsFiles() throws {
    let folder = try TemporaryFolder()
    func rows(_ range: Range<Int>) -> String {
      range.map { "\($0 + 1) \(500 + 3 * $0) 0 1 5 17 38 36 15 6 5 \($0) 1 22 1396\n" }.joined()
    }
    let test = stride(from: 0, to: 40, by: 4).map { "\(500 + 3 * $0)\n" }.joined() + "999999\n"
    try folder.write(rows(0..<20), to: "a/AVA.txt")
    try folder.write(test, to: "a/aesthetics_image_lists/generic_test.jpgl")
    try folder.write(rows(20..<40), to: "b/AVA.txt")
    try folder.write(rows(0..<40), to: "c/AVA.txt")
    try folder.write(test, to: "c/aesthetics_image_lists/generic_test.jpgl")
    try folder.write(rows(0..<20), to: "d/AVA.txt")
    try folder.write(test, to: "e/aesthetics_image_lists/generic_test.jpgl")
    var results: [[String]] = []
    for (number, order) in [["c"], ["a", "b"], ["b", "a"], ["d", "b", "e"], ["d", "e", "b"]]
      .enumerated()
    {
      let database = "\(folder.path)/\(number).sqlite"
      for source in order {
        let run = try CommandRun(
          "roc-data", ["import", "ava", "--source", "\(folder.path)/\(source)", "--db", database])
        #expect(run.status == 0, "\(run.errors)")
      }
      results.append(try members(database))
    }
    #expect(results[0].count == 41 && results[0].contains("generic_test 11 1"))
    for result in results.dropFirst() { #expect(result == results[0]) }
    // One file by itself is a source, too.
    let file = try CommandRun(
      "roc-data",
      [
        "import", "ava", "--source", "\(folder.path)/c/AVA.txt", "--db", "\(folder.path)/f.sqlite",
      ])
    #expect(file.status == 0 && file.output.contains("40 pictures"))
  }
}
