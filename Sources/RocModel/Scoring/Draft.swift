/// What the next answer is expected to say: it is verified together with the prompt, which costs
/// one pass instead of one for each token.
///
/// Models answer nearly the same words for every picture. What two answers in a row began with is
/// expected of the next; only tokens that greedy decoding chooses itself are ever accepted.
struct Draft: Sendable {
  private var last: [Int]
  /// Token ids without the last one, after which nothing is computed.
  private(set) var ids: [Int]

  /// The longest expectation; a long comment would cost more than it saves when it differs.
  static let maxTokens = 64

  init(expected: [Int]) {
    last = expected
    ids = Self.opening(expected)
  }

  /// Learns from an answer's tokens.
  mutating func update(_ answer: [Int]) {
    let common = zip(last, answer).prefix { $0 == $1 }.count
    ids = Self.opening(Array(answer.prefix(common == answer.count ? common : common + 1)))
    last = answer
  }

  private static func opening(_ ids: [Int]) -> [Int] { Array(ids.dropLast().prefix(maxTokens)) }
}
