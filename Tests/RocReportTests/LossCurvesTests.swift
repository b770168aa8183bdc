import Foundation
import RocReport
import Testing

struct LossCurvesTests {
  @Test func thinsAMillionSteps() throws {
    let points = (0..<1_000_000).map { (step: $0, value: 2 + Double($0 % 2)) }
    let figure = Figure.lossCurves([LossCurve(name: "total", points: points)], smoothing: 0)
    let line = try #require(polylines(figure.svg).first)
    #expect(line.count == 1000)
    // Every span has as many twos as threes; 2.5 is in the middle of the axis.
    #expect(Set(line.map(\.y)).count == 1)
    #expect(figure.svg.utf8.count < 30_000)
    #expect(figure.svg.contains(">1M</text>") && figure.svg.contains(">0.2M</text>"))
    #expect(figure.note.contains("the mean of a thousandth of the steps"))
    #expect(figure.pgfplots.contains("(499.5,2.5000)"))
  }

  @Test func keepsUnevenSteps() throws {
    // Dense at first, then one value in 10,000 steps.
    let steps = Array(0..<2000) + (1...50).map { $0 * 10_000 }
    let figure = Figure.lossCurves(
      [LossCurve(name: "l1", points: steps.map { ($0, Double($0)) })], smoothing: 0)
    let line = try #require(polylines(figure.svg).first)
    #expect(line.count > 50 && line.count < 60)
    // A mean of steps and a mean of equal values keep the points on the diagonal.
    let (first, last) = (try #require(line.first), try #require(line.last))
    for point in line {
      let share = (point.x - first.x) / (last.x - first.x)
      #expect(abs(point.y - first.y - share * (last.y - first.y)) < 0.02)
    }
  }

  @Test func smoothsAsTensorBoardDoes() {
    // By hand: 0.5·1/0.5, (0.5·0.5 + 0.5·3)/0.75, (0.5·1.75 + 0.5·0)/0.875.
    let figure = Figure.lossCurves(
      [LossCurve(name: "ce", points: [(1, 1), (2, 3), (3, 0)])], smoothing: 0.5)
    #expect(figure.pgfplots.contains("{(1,1.0000) (2,2.3333) (3,1.0000)}"))
    #expect(figure.pgfplots.contains("forget plot] coordinates {(1,1.0000) (2,3.0000) (3,0)}"))
    #expect(polylines(figure.svg).count == 2)
    #expect(
      figure.note
        == "Faint: values; line: their exponential mean with factor 0.5, as in TensorBoard.")
  }

  @Test func replacesStepsThatComeAgain() {
    var curve = LossCurve(name: "emd", points: [(1, 9), (2, 9), (3, 9), (4, 9), (3, 1)])
    #expect(curve.points.map(\.step) == [1, 2, 3])
    #expect(curve.points.map(\.value) == [9, 9, 1])
    curve.add(step: 4, value: 2)
    curve.add(step: 0, value: 5)
    #expect(curve.points.map(\.step) == [0])
  }

  @Test func leavesOutWhatAnAxisCannotShow() {
    let points: [(step: Int, value: Double)] = [
      (1, 10), (2, .nan), (3, 1), (4, 0), (5, 1e-6), (6, -1), (7, .infinity),
    ]
    let curve = LossCurve(name: "total", points: points)
    let linear = Figure.lossCurves([curve])
    #expect(linear.note.hasSuffix(" 2 values are left out: they are not finite."))
    let figure = Figure.lossCurves([curve], isLogarithmic: true)
    #expect(
      figure.note.hasSuffix("2 values are not above zero, which the logarithmic axis cannot show."))
    #expect(polylines(figure.svg).allSatisfy { $0.count == 3 })
    #expect(figure.svg.contains(">1e-6</text>") && figure.svg.contains(">1e-4</text>"))
    #expect(figure.pgfplots.contains("ymode=log") && figure.pgfplots.contains("(5,0.0000010000)"))
  }

  @Test func thinsOnlyWhatIsShown() throws {
    // One of two values cannot be shown; a mean with it would be 2.
    let points = (0..<5000).map { (step: $0, value: $0 % 2 == 0 ? 5.0 : -1) }
    let figure = Figure.lossCurves(
      [LossCurve(name: "total", points: points)], smoothing: 0, isLogarithmic: true)
    #expect(figure.note.contains("2500 values are not above zero"))
    #expect(figure.pgfplots.contains(",5.0000)") && !figure.pgfplots.contains(",2.0000)"))
    #expect(try #require(polylines(figure.svg).first).count == 1000)
  }

  @Test(arguments: [
    [], [0.0], [5], [-3], [1e30], [1e-30], [.nan], [2, 2, 2], [1, 1000], [0.7, 0.8],
  ])
  func drawsAnyValues(values: [Double]) {
    let curve = LossCurve(name: "a<b", points: values.enumerated().map { ($0.offset, $0.element) })
    for isLogarithmic in [false, true] {
      let figure = Figure.lossCurves([curve, curve], isLogarithmic: isLogarithmic)
      #expect(!figure.svg.contains("nan") && !figure.svg.contains("inf"))
      #expect(figure.svg.contains("a&lt;b"))
      for point in polylines(figure.svg).joined() {
        #expect((57.9...446.1).contains(point.x) && (13.9...294.1).contains(point.y))
      }
    }
  }

  @Test func namesEveryCurve() throws {
    let curves = (0..<8).map { LossCurve(name: "curve_\($0)", points: [(1, Double($0)), (2, 1)]) }
    let figure = Figure.lossCurves(curves)
    #expect(polylines(figure.svg).count == 16)
    #expect(figure.svg.components(separatedBy: ">curve_").count == 9)
    #expect(figure.pgfplots.components(separatedBy: "\\addlegendentry{curve\\_").count == 9)
    // The seventh has the colour of the first, dashed.
    #expect(figure.svg.contains("\"k k0 kd\"") && figure.pgfplots.contains("thick, blue, dashed]"))
  }

  @Test func drawsHeldOutCorrelations() {
    let figure = Figure.heldOutCorrelation([
      (step: 1000, srcc: 0.6, interval: (low: 0.5, high: 0.65)),
      (step: 2000, srcc: 0.7, interval: nil), (step: 3000, srcc: .nan, interval: nil),
    ])
    #expect(figure.svg.components(separatedBy: "class=\"e\"").count == 2)
    #expect(figure.svg.components(separatedBy: "<circle").count == 3)
    #expect(figure.svg.contains("step 1000: 0.6000, 0.5000 to 0.6500"))
    #expect(figure.pgfplots.contains("(1000,0.6000) += (0,0.0500) -= (0,0.1000)"))
    #expect(figure.note.hasSuffix(" 1 values are left out: they are not finite."))
    #expect(!Figure.heldOutCorrelation([]).svg.contains("nan"))
  }

  /// The points of every polyline, in the picture's units.
  private func polylines(_ svg: String) -> [[(x: Double, y: Double)]] {
    svg.components(separatedBy: "<polyline").dropFirst().map { part in
      let points = part.components(separatedBy: "points=\"").last?.prefix { $0 != "\"" } ?? ""
      return points.split(separator: " ").compactMap { pair in
        let numbers = pair.split(separator: ",").compactMap { Double($0) }
        return numbers.count == 2 ? (numbers[0], numbers[1]) : nil
      }
    }
  }
}
