import RocScore

/// Votes and predictions of one picture as bars.
enum VoteBars {
  private static let width = 480.0
  private static let height = 170.0
  private static let bottom = 22.0

  /// - Parameters:
  ///   - scores: What each bin stands for.
  ///   - votes: Shares; nil without votes.
  ///   - predicted: Probabilities; nil without a prediction, or one of other bins.
  /// - Returns: A figure without text of others.
  static func figure(scores: [Double], votes: [Double]?, predicted: [Double]?) -> HTML {
    let largest = max((votes ?? []).max() ?? 0, (predicted ?? []).max() ?? 0, 1e-9)
    let step = width / Double(max(scores.count, 1))
    let room = height - bottom
    var marks: [HTML] = []
    for (bin, score) in scores.enumerated() {
      let left = Double(bin) * step
      func bar(_ value: Double?, _ offset: Double, _ kind: String, _ name: String) -> HTML {
        guard let value else { return "" }
        let tall = room * value / largest
        return """
          <rect class="\(kind)" x="\(fixed(left + offset * step, 1))" y="\(fixed(room - tall, 1))" \
          width="\(fixed(0.4 * step, 1))" height="\(fixed(tall, 1))">\
          <title>\(ScoreRange.short(score)): \(name) \(fixed(value, 4))</title></rect>
          """
      }
      // Alone, a bar stands over its label.
      let isPair = votes != nil && predicted != nil
      marks.append(
        bar(votes.map { bin < $0.count ? $0[bin] : 0 }, isPair ? 0.08 : 0.3, "votes", "votes"))
      marks.append(
        bar(
          predicted.map { bin < $0.count ? $0[bin] : 0 }, isPair ? 0.52 : 0.3, "predicted",
          "predicted"))
      marks.append(
        """
        <text x="\(fixed(left + step / 2, 1))" y="\(fixed(height - 6, 1))" text-anchor="middle">\
        \(ScoreRange.short(score))</text>
        """)
    }
    let name =
      switch (votes != nil, predicted != nil) {
      case (true, true): "Votes and predicted distribution"
      case (false, true): "Predicted distribution"
      default: "Votes"
      }
    return """
      <svg class="bars" viewBox="0 0 \(fixed(width, 0)) \(fixed(height, 0))" role="img" \
      aria-label="\(name)">\(marks)</svg>
      """
  }
}
