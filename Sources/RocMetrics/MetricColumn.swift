/// A metric as a column of a table.
package struct MetricColumn: Sendable {
  /// As papers print it, `SRCC`.
  package let title: String
  /// Its key in `Metrics`, `srcc`.
  package let name: String
  package let higherIsBetter: Bool
  /// Its sign says in which direction the scale runs.
  package let isCorrelation: Bool

  private init(
    _ title: String, _ name: String, higherIsBetter: Bool, isCorrelation: Bool = false
  ) {
    self.title = title
    self.name = name
    self.higherIsBetter = higherIsBetter
    self.isCorrelation = isCorrelation
  }

  /// In the order of the paper's tables.
  package static let all = [
    MetricColumn("SRCC", "srcc", higherIsBetter: true, isCorrelation: true),
    MetricColumn("PLCC", "plcc", higherIsBetter: true, isCorrelation: true),
    MetricColumn("KRCC", "krcc", higherIsBetter: true, isCorrelation: true),
    MetricColumn("MAE", "mae", higherIsBetter: false),
    MetricColumn("RMSE", "rmse", higherIsBetter: false),
    MetricColumn("ACC", "accuracy", higherIsBetter: true),
    MetricColumn("EMD", "emd1", higherIsBetter: false),
  ]
}
