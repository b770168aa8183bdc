import Foundation
import RocData
import RocDigest
import RocImage
import RocJSON
import RocMetrics
import RocStore
import RocTables
import RocTestSupport
import Testing

struct DemoTests {
  @Test func makesTheSameFilesFromTheSameSeed() throws {
    let folder = try TemporaryFolder()
    for name in ["a", "b"] {
      try DemoDataset(images: 9, seed: 5).write(to: "\(folder.path)/\(name)")
    }
    try DemoDataset(images: 9, seed: 6).write(to: "\(folder.path)/c")
    func digest(_ file: String) throws -> String { try SHA256.of(file: "\(folder.path)/\(file)") }
    for file in ["AVA.txt", "images/100001.jpg", "images/100057.jpg"] {
      #expect(try digest("a/\(file)") == digest("b/\(file)"))
      #expect(try digest("a/\(file)") != digest("c/\(file)"))
    }
  }

  @Test func isImportedAsAVA() throws {
    let folder = try TemporaryFolder()
    let path = "\(folder.path)/demo"
    try DemoDataset(images: 30, seed: 1).write(to: path)
    let store = try Store(path: "\(folder.path)/roc.sqlite", creates: true)
    let report = try AVAImporter(try Manifest.bundled("ava"), source: path)
      .run(into: store, images: try ImageFolder("\(path)/images"), replace: false)
    #expect(report.images == 30 && report.skipped.isEmpty)
    #expect(report.missingImages == [])
    #expect(report.json["splits"]?["official"]?["test"]?.int == 10)
    let samples = try store.samples(try store.dataset("ava")).samples
    #expect(try ImageVerification.run(samples, jobs: 2).allSatisfy { $0.facts.state == .readable })
  }

  /// Mean colour and contrast must not give the scores away: SRCC below 0.6.
  @Test func scoresAreMoreThanColourAndContrast() throws {
    let folder = try TemporaryFolder()
    let path = "\(folder.path)/demo"
    try DemoDataset(images: 600, seed: 1).write(to: path)
    let store = try Store(path: "\(folder.path)/roc.sqlite", creates: true)
    _ = try AVAImporter(try Manifest.bundled("ava"), source: path)
      .run(into: store, images: try ImageFolder("\(path)/images"), replace: false)
    let samples = try store.samples(try store.dataset("ava")).samples
    let features = try samples.map { try Self.features(try #require($0.path)) }
    let scores = samples.map(\.score)
    let fitted = Self.linearFit(features, scores)
    let found = try #require(Correlation.spearman(fitted, scores))
    #expect(found < 0.6, "SRCC \(found)")
    #expect(populationDeviation(scores) > 0.8)
  }

  /// 1, mean red, green and blue, standard deviation of the grey values.
  private static func features(_ path: String) throws -> [Double] {
    let picture = try Picture.read(path)
    let bytes = picture.withBytes { $0.map(Double.init) }
    let pixels = picture.width * picture.height
    var means = [0.0, 0.0, 0.0]
    var grey = [Double](repeating: 0, count: pixels)
    for i in 0..<pixels {
      for channel in 0..<3 {
        means[channel] += bytes[3 * i + channel] / Double(pixels)
        grey[i] += bytes[3 * i + channel] / 3
      }
    }
    return [1] + means + [populationDeviation(grey)]
  }

  /// Least squares through the normal equations.
  private static func linearFit(_ x: [[Double]], _ y: [Double]) -> [Double] {
    let n = x[0].count
    var system = [[Double]](repeating: [Double](repeating: 0, count: n + 1), count: n)
    for (row, target) in zip(x, y) {
      for i in 0..<n {
        for j in 0..<n { system[i][j] += row[i] * row[j] }
        system[i][n] += row[i] * target
      }
    }
    for column in 0..<n {
      let pivot = (column..<n).max { abs(system[$0][column]) < abs(system[$1][column]) } ?? column
      system.swapAt(column, pivot)
      for row in 0..<n where row != column {
        let factor = system[row][column] / system[column][column]
        for k in column...n { system[row][k] -= factor * system[column][k] }
      }
    }
    let weights = (0..<n).map { system[$0][n] / system[$0][$0] }
    return x.map { row in
      row.indices.reduce(0.0) { sum, i in sum + row[i] * weights[i] }
    }
  }

  @Test func saysWhereItCannotWrite() throws {
    let folder = try TemporaryFolder()
    try folder.write("a file", to: "demo")
    #expect(throws: DataError.self) {
      try DemoDataset(images: 3, seed: 1).write(to: "\(folder.path)/demo")
    }
  }
}
