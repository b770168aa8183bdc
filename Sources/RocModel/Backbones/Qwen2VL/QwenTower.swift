import RocImage
import RocTensor

/// Qwen2-VL's vision transformer: pixels of any size to features of their patches, [patches, width],
/// in squares of those that the merger joins.
///
/// Letters: P = patches of all pictures, V = width. Rows and columns turn queries and keys; patches
/// of one picture attend to each other.
struct QwenTower: VisionEncoder {
  let isTrained: Bool
  private let settings: QwenTowerSettings
  private let compute: Compute
  private let trains: Bool
  private let patchEmbedding: Linear
  private let layers: [VisionLayer]

  init(_ reader: WeightReader, _ settings: QwenTowerSettings, _ compute: Compute) {
    let trained = reader.trained.count
    self.settings = settings
    self.compute = compute
    trains = reader.trains
    let (patch, frames) = (settings.patch, settings.frames)
    patchEmbedding = reader.linear(
      "\(settings.prefix)patch_embed.proj",
      shape: [settings.layer.width, 3, frames, patch, patch],
      kept: true)
    layers = (0..<settings.layers).map {
      VisionLayer(reader, "\(settings.prefix)blocks.\($0)", settings.layer)
    }
    isTrained = reader.trained.count > trained
  }

  private func grid(_ pixels: Pixels) -> PictureGrid {
    PictureGrid(rows: pixels.height / settings.patch, columns: pixels.width / settings.patch)
  }

  /// The patches of a grid in the order of their rows: square after square, row by row in each.
  private func places(_ grid: PictureGrid) -> [(row: Int, column: Int)] {
    let merge = settings.merge
    return (0..<grid.count).map { place in
      let (square, inside) = (place / (merge * merge), place % (merge * merge))
      let across = grid.columns / merge
      return (
        square / across * merge + inside / merge, square % across * merge + inside % merge
      )
    }
  }

  /// Angles of the patches of all pictures: half of the pairs of a head are turned by the row, half
  /// by the column.
  private func rotations(_ grids: [PictureGrid]) -> Rotations {
    let half = settings.layer.headWidth / 2
    let frequencies = RotaryTable.frequencies(width: half, theta: 10_000)
    let table = RotaryTable(
      positions: grids.flatMap { places($0).map { [$0.row, $0.column] } },
      frequencies: frequencies + frequencies,
      axes: frequencies.map { _ in 0 } + frequencies.map { _ in 1 }, compute)
    return Rotations(table, trains: trains, compute)
  }

  /// Patches as rows of [channel, frame, y, x], in the order of `places`: [P, inputs].
  private func cuts(_ pictures: [Pixels]) -> Matrix {
    let inputs = patchEmbedding.inputs
    let cuts = compute.matrix(pictures.reduce(0) { $0 + grid($1).count }, inputs)
    var start = 0
    for picture in pictures {
      let grid = grid(picture)
      let plane = picture.height * picture.width
      // A still stands for every frame.
      let frames = (0..<3).flatMap { channel in
        [ArraySlice<Float>](
          repeating: picture.values[channel * plane..<(channel + 1) * plane],
          count: settings.frames
        ).flatMap { $0 }
      }
      let raster = compute.matrix(grid.count, inputs)
      compute.patches(
        compute.matrix(3 * settings.frames, plane, frames), width: picture.width,
        patch: settings.patch, into: raster)
      for place in places(grid) {
        let row = place.row * grid.columns + place.column
        compute.copy(raster, rows: row..<row + 1, into: cuts, at: start)
        start += 1
      }
    }
    return cuts
  }

  func encode(_ pictures: [Pixels], trace: Trace?, tape: Tape?) -> PictureRows {
    precondition(tape == nil || pictures.count == 1, "a derivative of \(pictures.count) pictures")
    for picture in pictures {
      let edge = settings.patch * settings.merge
      precondition(
        picture.width % edge == 0 && picture.height % edge == 0,
        "\(picture.height) x \(picture.width) pixels in squares of \(edge)")
    }
    let grids = pictures.map(grid)
    let counts = grids.map(\.count)
    let rotations = rotations(grids)
    let cuts = cuts(pictures)
    trace?.record("pixel_values", cuts)
    var x = patchEmbedding(cuts, compute)
    tape?.push(LayerInput(cuts))
    trace?.record("vision.embeddings", x)
    for (i, layer) in layers.enumerated() {
      if let tape, tape.recomputes { tape.push(LayerInput(x.copy())) }
      x = layer(
        x, counts: counts, rotations: rotations, compute,
        tape: tape?.recomputes == true ? nil : tape)
      trace?.record("vision.layer\(i)", x)
    }
    tape?.push(GridRecord(rotations))
    return PictureRows(x, counts: counts, grids: grids)
  }

  /// The angles that a pass turned by.
  private final class GridRecord {
    let rotations: Rotations

    init(_ rotations: Rotations) { self.rotations = rotations }
  }

  func backward(_ gradient: borrowing Matrix, tape: Tape) {
    let rotations = tape.pop(GridRecord.self).rotations
    var d = gradient.copy()
    for layer in layers.reversed() {
      guard tape.recomputes else {
        d = layer.backward(d, rotations: rotations, compute, tape: tape)
        continue
      }
      let inner = Tape()
      let input = tape.pop(LayerInput.self)
      _ = layer(
        input.x.copy(), counts: [input.x.rows], rotations: rotations, compute, tape: inner)
      d = layer.backward(d, rotations: rotations, compute, tape: inner)
    }
    patchEmbedding.addGradients(d, of: tape.pop(LayerInput.self).x, compute)
  }

  func firstLayer(_ features: borrowing PictureRows) -> Matrix {
    layers[0](
      features.matrix.copy(), counts: features.counts, rotations: rotations(features.grids ?? []),
      compute, tape: nil)
  }

  func operations(_ pixels: Pixels) -> Double {
    let patches = Double(grid(pixels).count)
    return 2 * patches * Double(patchEmbedding.inputs) * Double(settings.layer.width)
      + Double(settings.layers) * layerOperations(pixels)
  }

  /// The rows of a layer with their norm, queries, keys, values, what was mixed and the MLP, and the
  /// pixels twice.
  func activationBytes(_ pixels: Pixels) -> Int {
    let row = 6 * settings.layer.width + settings.layer.feedForward + 2 * patchEmbedding.inputs
    return 4 * grid(pixels).count * row
  }

  func layerOperations(_ pixels: Pixels) -> Double {
    settings.layer.operations(rows: grid(pixels).count)
  }
}
