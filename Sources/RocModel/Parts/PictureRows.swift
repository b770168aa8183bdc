package import RocTensor

/// What parts make of pictures: the rows of all of them, one after another.
package struct PictureRows: ~Copyable {
  /// [the sum of counts, width].
  package let matrix: Matrix
  /// Rows of each picture.
  package let counts: [Int]

  package init(_ matrix: consuming Matrix, counts: [Int]) {
    precondition(counts.reduce(0, +) == matrix.rows, "\(counts) rows of \(matrix.rows)")
    self.matrix = matrix
    self.counts = counts
  }

  /// The rows of one picture.
  package func picture(_ place: Int) -> Range<Int> {
    let start = counts[..<place].reduce(0, +)
    return start..<start + counts[place]
  }
}
