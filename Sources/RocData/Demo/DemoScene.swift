/// What decides a demo picture's look and its score; all but `exposure` from 0 to 1, 1 being best.
package struct DemoScene: Sendable, Equatable {
  /// How near the subject is to a point of thirds.
  package var composition: Double
  /// How far apart the hues of subject and background are: 1 for opposite ones.
  package var harmony: Double
  /// -1 is far too dark, 0 right, 1 far too bright.
  package var exposure: Double
  package var sharpness: Double
  package var cleanness: Double

  package init(_ random: inout RandomSource) {
    composition = random.unit()
    harmony = random.unit()
    exposure = random.uniform(-1, 1)
    sharpness = 1 - random.unit() * random.unit()
    cleanness = 1 - random.unit() * random.unit()
  }

  /// The mean opinion that voters scatter around.
  ///
  ///     quality = 0.35 composition + 0.30 harmony + 0.35 (1 - exposure²)
  ///     damage  = (0.4 + 0.6 sharpness) · (0.6 + 0.4 cleanness)
  ///     opinion = 1.5 + 7.5 · quality · damage
  ///
  /// The colours and the contrast of the whole picture tell little about it, since too dark and
  /// too bright are equally bad and harmony is a matter of pairs of hues.
  package var opinion: Double {
    let quality = 0.35 * composition + 0.30 * harmony + 0.35 * (1 - exposure * exposure)
    let damage = (0.4 + 0.6 * sharpness) * (0.6 + 0.4 * cleanness)
    return 1.5 + 7.5 * quality * damage
  }

  /// Ten-bin votes of 120 to 300 people, each off by about 1.4 points, and the whole group by about
  /// 0.15 for its taste.
  package func votes(_ random: inout RandomSource) -> [Int] {
    var counts = [Int](repeating: 0, count: 10)
    let center = opinion + 0.15 * random.normal()
    let voters = 120 + Int(random.next() % 181)
    for _ in 0..<voters {
      let vote = (center + 1.4 * random.normal()).rounded()
      counts[Int(min(max(vote, 1), 10)) - 1] += 1
    }
    return counts
  }
}
