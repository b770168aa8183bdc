import Foundation
import RocReport
import Testing

struct FigureTests {
  @Test func countsManyPicturesInHexagons() {
    let truth = (0..<4000).map { 1 + 9 * Double($0 % 200) / 200 }
    let predicted = (0..<4000).map { 1 + 9 * Double(($0 * 7) % 211) / 211 }
    let figure = Figure.scatter(predicted: predicted, truth: truth, low: 1, high: 10)
    #expect(figure.note.hasPrefix("4000 pictures counted in hexagons"))
    // Every picture is in one of them.
    let counts = figure.svg.components(separatedBy: "<title>").dropFirst().compactMap {
      Int($0.prefix { $0.isNumber })
    }
    #expect(counts.reduce(0, +) == 4000 && counts.count < 1700)
    let few = Figure.scatter(predicted: [1, 2, 3], truth: [1, 2, 4], low: 1, high: 10)
    #expect(few.svg.components(separatedBy: "<circle").count == 4)
  }

  @Test func countsEveryScoreOnce() {
    let values = [1, 1.01, 5.5, 10, 12, -3]
    let figure = Figure.histograms(predicted: values, truth: values, low: 1, high: 10)
    let counts = figure.svg.components(separatedBy: "<title>").dropFirst().compactMap {
      $0.prefix { $0 != "<" }.split(separator: " ").last.flatMap { Int($0) }
    }
    // Scores outside the scale stand in its outermost bins.
    #expect(counts.reduce(0, +) == 2 * values.count)
  }

  @Test func drawsARadarOfAnyNumberOfAttributes() {
    for count in 3...12 {
      let values = (0..<count).map { (name: "a<\($0)>", value: Double($0) / 12 - 0.1) }
      let figure = Figure.radar(values)
      #expect(figure.svg.contains("a&lt;0&gt;") && figure.pgfplots.contains("(0.00,0.0000)"))
      let points = figure.svg.components(separatedBy: "class=\"r\" points=\"").last?
        .prefix { $0 != "\"" }.split(separator: " ")
      #expect(points?.count == count)
    }
  }

  @Test func copesWithOneValueOnly() {
    let figure = Figure.scatter(predicted: [5, 5, 5], truth: [5, 5, 5], low: 1, high: 10)
    #expect(!figure.svg.contains("nan") && !figure.svg.contains("inf"))
    let groups = [(entropy: 1.0, error: GroupMean(name: "", mean: 0, low: 0, high: 0, count: 5))]
    #expect(!Figure.entropy(groups).svg.contains("nan"))
  }
}
