/// Earth mover's distance of two distributions over the same N bins.
///
/// ((1/N) Σ |CDF_p(k) − CDF_q(k)|^r)^(1/r): per image, then averaged over images. r = 2 is what is
/// trained with, r = 1 what tables print. NIMA (arXiv:1709.05424), equation 1.
///
/// - Parameters:
///   - p: N probabilities.
///   - q: N probabilities.
///   - power: r, 1 or 2.
/// - Returns: The distance of this image.
package func earthMoverDistance(_ p: [Double], _ q: [Double], power: Int) -> Double {
  precondition(p.count == q.count && !p.isEmpty, "distributions of \(p.count) and \(q.count) bins")
  precondition(power == 1 || power == 2, "EMD with r = \(power)")
  var gap = 0.0
  var total = 0.0
  for (a, b) in zip(p, q) {
    gap += a - b
    total += power == 1 ? abs(gap) : gap * gap
  }
  let average = total / Double(p.count)
  return power == 1 ? average : average.squareRoot()
}
