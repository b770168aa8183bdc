package import RocTensor

/// How rows of a picture lie beside and below each other.
package struct PictureGrid: Sendable, Equatable {
  package let rows: Int
  package let columns: Int

  package init(rows: Int, columns: Int) {
    self.rows = rows
    self.columns = columns
  }

  package var count: Int { rows * columns }
}

/// What parts make of pictures: the rows of all of them, one after another.
package struct PictureRows: ~Copyable {
  /// [the sum of counts, width].
  package let matrix: Matrix
  /// Rows of each picture.
  package let counts: [Int]
  /// Where the rows of each picture lie in it; nil for rows that have no place of their own.
  package let grids: [PictureGrid]?

  package init(_ matrix: consuming Matrix, counts: [Int], grids: [PictureGrid]? = nil) {
    precondition(counts.reduce(0, +) == matrix.rows, "\(counts) rows of \(matrix.rows)")
    precondition(
      grids.map { $0.map(\.count) == counts } ?? true, "grids of other than \(counts) rows")
    self.matrix = matrix
    self.counts = counts
    self.grids = grids
  }

  /// The rows of one picture.
  package func picture(_ place: Int) -> Range<Int> {
    let start = counts[..<place].reduce(0, +)
    return start..<start + counts[place]
  }

  /// The rows of one picture as a part of a sequence.
  package func span(_ place: Int) -> RowSpan { .picture(counts[place], grids?[place]) }
}
