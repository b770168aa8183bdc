import RocTensor

/// The patches and the sum that the first norm took.
final class EmbeddingRecord {
  let cuts: Matrix
  let x: Matrix

  init(cuts: consuming Matrix, x: consuming Matrix) {
    self.cuts = cuts
    self.x = x
  }
}

extension CLIPTower {
  func backward(_ gradient: borrowing Matrix, tape: Tape) {
    var d: Matrix
    if let postNorm {
      d = compute.zeros(gradient.rows, gradient.columns)
      postNorm.backward(gradient, of: tape.pop(LayerInput.self).x, into: d, compute)
    } else {
      d = gradient.copy()
    }
    for layer in layers.reversed() {
      if tape.recomputes {
        let inner = Tape()
        let input = tape.pop(LayerInput.self)
        _ = layer(input.x.copy(), counts: [input.x.rows], compute, tape: inner)
        d = layer.backward(d, compute, tape: inner)
      } else {
        d = layer.backward(d, compute, tape: tape)
      }
    }
    let record = tape.pop(EmbeddingRecord.self)
    let sums = compute.zeros(d.rows, d.columns)
    preNorm.backward(d, of: record.x, into: sums, compute)
    compute.add(sums, to: positions)
    compute.add(sums.copy(rows: 0..<1), to: classToken)
    patchEmbedding.addGradients(
      sums, rows: 1..<sums.rows, of: record.cuts, compute)
  }
}
