import RocModel
import RocTensor
import RocTestSupport
import RocTrain
import Testing

/// What a training needs is told before it is taken.
struct NeededMemoryTests {
  @Test(arguments: [true, false])
  func everyPartOfABatchHasGradientsOfItsOwn(isLowRank: Bool) throws {
    let golden = try TrainingGolden("plain")
    let compute = try Compute(threads: 1)
    func loader(_ slots: Int) throws -> ModelLoader {
      let lowRank = LowRankPlan(
        rank: 4, alpha: 8, targets: LowRankPlan.languageTargets, dropout: Dropout(rate: 0), seed: 3)
      return try ModelLoader(
        folder: golden.checkpoint, compute: compute,
        training: TrainingPlan(lowRank: isLowRank ? lowRank : nil, slots: slots) { _ in !isLowRank }
      )
    }
    let one = try loader(1)
    let trained = try one.load().trained.reduce(0) { $0 + $1.parameter.size }
    #expect(trained > 1000)
    #expect(try loader(3).bytesNeeded == one.bytesNeeded + 2 * 4 * trained)
  }
}
