package import RocMetrics

extension ReportTable {
  /// One row of metrics with its intervals.
  package init(method: String, metrics: Metrics, caption: String) {
    self.init(
      caption: caption, label: "tab:roc",
      columns: MetricColumn.all.map {
        Column(title: $0.title, higherIsBetter: $0.higherIsBetter)
      },
      rows: [
        Row(
          name: method,
          cells: MetricColumn.all.map { column in
            let metric = metrics[column.name]
            return Cell(value: metric?.value, interval: metric?.interval)
          })
      ])
  }
}
