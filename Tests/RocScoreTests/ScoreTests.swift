import RocScore
import Testing

struct ScoreTests {
  @Test func spacesTheAxisAsNumpyDoes() {
    #expect(ScoreAxis(low: 1, high: 10, count: 10).values == [1, 2, 3, 4, 5, 6, 7, 8, 9, 10])
    #expect(
      ScoreAxis(low: 1, high: 5, count: 9).values == [1, 1.5, 2, 2.5, 3, 3.5, 4, 4.5, 5])
    #expect(ScoreAxis(low: 0, high: 1, count: 4).values == [0, 1 / 3, 2 / 3, 1])
    #expect(ScoreAxis(low: 2, high: 3, count: 1).values == [2])
  }

  @Test func expectsTheMeanOfTheAxis() {
    let axis = ScoreAxis(low: 1, high: 3, count: 3)
    #expect(axis.expectation(of: [0.25, 0.5, 0.25]) == 2)
    #expect(axis.expectation(of: [0, 0, 1]) == 3)
  }

  @Test func derivesMeansFromCounts() {
    // The picture of the official README: 164 votes.
    let votes = VoteHistogram(counts: [26, 18, 34, 48, 27, 8, 0, 0, 1, 2])
    #expect(votes.total == 164)
    #expect(votes.mean == 568.0 / 164)
    #expect(votes.distribution?.reduce(0, +) == 1)
    #expect(VoteHistogram(counts: [0, 0]).mean == nil)
    #expect(VoteHistogram(counts: [0, 0]).distribution == nil)
    #expect(VoteHistogram(counts: [1, 0, 1], first: 1, step: 0.5).mean == 1.5)
  }

  @Test func mapsRangesLinearly() {
    let unit = ScoreRange(low: 0, high: 1)
    let ten = ScoreRange(low: 1, high: 10)
    #expect(unit.map(0.5, to: ten) == 5.5)
    #expect(ten.map(10, to: unit) == 1)
    #expect(ten.map(4.123, to: ten) == 4.123)
    #expect(ten.contains(10) && !ten.contains(10.001))
    #expect(ten.description == "1:10" && ScoreRange(low: 0.5, high: 2).description == "0.5:2")
  }
}
