package import RocMetrics

extension ReportTable {
  /// Titles, keys and directions of the metrics in the order of the paper's tables.
  private static let metricColumns: [(title: String, name: String, higherIsBetter: Bool)] = [
    ("SRCC", "srcc", true), ("PLCC", "plcc", true), ("KRCC", "krcc", true),
    ("MAE", "mae", false), ("RMSE", "rmse", false), ("ACC", "accuracy", true),
    ("EMD", "emd1", false),
  ]

  /// One row of metrics with its intervals.
  package init(method: String, metrics: Metrics, caption: String) {
    self.init(
      caption: caption, label: "tab:roc",
      columns: Self.metricColumns.map {
        Column(title: $0.title, higherIsBetter: $0.higherIsBetter)
      },
      rows: [
        Row(
          name: method,
          cells: Self.metricColumns.map { column in
            let metric = metrics[column.name]
            return Cell(value: metric?.value, interval: metric?.interval)
          })
      ])
  }
}
