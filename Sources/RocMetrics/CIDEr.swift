#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// CIDEr-D (Vedantam, Zitnick and Parikh, CVPR 2015), as pycocoevalcap computes it: n-grams of 1 to 4
/// words weighted by how few pictures have them, clipped, with a Gaussian penalty on the length.
package enum CIDEr {
  private static let longest = 4
  private static let sigma = 6.0

  /// Weights of the n-grams of one text.
  private struct Vector {
    /// By n − 1.
    var weights: [[[String]: Double]]
    var norms: [Double]
    var length: Double
  }

  /// - Parameter images: Each a generated text with one or more texts that people wrote.
  /// - Returns: The score of each image, 0 to 10, and their mean; nil without images.
  package static func scores(
    _ images: [(candidate: String, references: [String])]
  ) -> (each: [Double], mean: Double)? {
    guard !images.isEmpty, images.allSatisfy({ !$0.references.isEmpty }) else { return nil }
    let cooked = images.map { image in
      (
        candidate: grams(CommentTokens.of(image.candidate)),
        references: image.references.map { grams(CommentTokens.of($0)) }
      )
    }
    var frequency: [[String]: Double] = [:]
    for image in cooked {
      for gram in Set(image.references.flatMap(\.keys)) { frequency[gram, default: 0] += 1 }
    }
    let total = log(Double(images.count))
    let each = cooked.map { image in
      let own = vector(image.candidate, frequency, total)
      var sum = [Double](repeating: 0, count: longest)
      for reference in image.references {
        let similarities = similarity(own, vector(reference, frequency, total))
        for n in 0..<longest { sum[n] += similarities[n] }
      }
      return 10 * sum.reduce(0, +) / Double(longest) / Double(image.references.count)
    }
    return (each, mean(each))
  }

  private static func grams(_ words: [String]) -> [[String]: Double] {
    var counts: [[String]: Double] = [:]
    for n in 1...longest where words.count >= n {
      for start in 0...(words.count - n) {
        counts[Array(words[start..<start + n]), default: 0] += 1
      }
    }
    return counts
  }

  private static func vector(
    _ counts: [[String]: Double], _ frequency: [[String]: Double], _ total: Double
  ) -> Vector {
    var result = Vector(
      weights: Array(repeating: [:], count: longest),
      norms: Array(repeating: 0, count: longest), length: 0)
    for (gram, count) in counts {
      let weight = count * (total - log(max(1, frequency[gram] ?? 0)))
      let n = gram.count - 1
      result.weights[n][gram] = weight
      result.norms[n] += weight * weight
      // The original counts the pairs of words as the length.
      if n == 1 { result.length += count }
    }
    result.norms = result.norms.map { $0.squareRoot() }
    return result
  }

  private static func similarity(_ a: Vector, _ b: Vector) -> [Double] {
    let gap = a.length - b.length
    let penalty = exp(-gap * gap / (2 * sigma * sigma))
    return (0..<longest).map { n in
      var value = 0.0
      for (gram, weight) in a.weights[n] {
        let other = b.weights[n][gram] ?? 0
        value += min(weight, other) * other
      }
      if a.norms[n] != 0, b.norms[n] != 0 { value /= a.norms[n] * b.norms[n] }
      return value * penalty
    }
  }
}
