import RocImage

/// Paints a demo scene: a background of one hue and a subject of another, then lens and sensor.
struct DemoPainter {
  private let width: Int
  private let height: Int
  private let scene: DemoScene
  private var random: RandomSource

  /// - Parameters:
  ///   - scene: What the picture must show.
  ///   - random: Decides everything else.
  init(_ scene: DemoScene, random: inout RandomSource) {
    self.scene = scene
    let sizes = [(128, 96), (96, 128), (112, 112), (144, 96), (120, 90)]
    let size = sizes[Int(random.next() % UInt64(sizes.count))]
    width = size.0
    height = size.1
    self.random = RandomSource(seed: random.next())
  }

  /// The finished picture.
  mutating func paint() -> Picture {
    var light = draw()
    blur(&light)
    let picture = Picture(width: width, height: height)
    // More than a stop either way, clipped as a sensor does.
    let stops = 1.6 * scene.exposure
    let gain = stops >= 0 ? 1 + stops * (1 + stops * 0.5) * 0.75 : 1 / (1 - stops * 1.6)
    let grain = 0.14 * (1 - scene.cleanness)
    for i in 0..<width * height * 3 {
      let value = min(light[i] * gain, 1) + grain * random.normal()
      picture.pixels[i] = UInt8(min(max(value * 255 + 0.5, 0), 255))
    }
    return picture
  }

  /// Light in 0...1, three channels a pixel.
  private mutating func draw() -> [Double] {
    let hue = random.unit()
    let background = (dark: color(hue, 0.55, 0.38), bright: color(hue, 0.40, 0.66))
    let subject = color(subjectHue(hue), 0.85, 0.62)
    let center = subjectCenter()
    let radius = random.uniform(0.16, 0.24) * Double(min(width, height))
    let horizon = random.uniform(0.35, 0.75) * Double(height)
    var light = [Double](repeating: 0, count: width * height * 3)
    for y in 0..<height {
      for x in 0..<width {
        let dx = Double(x) - center.x
        let dy = Double(y) - center.y
        let distance = (dx * dx + dy * dy).squareRoot()
        let below = Double(y) > horizon
        let depth = Double(y) / Double(height)
        // Ground texture: something that blur takes away.
        let texture = below && (x / 6 + y / 6) % 2 == 0 ? 0.10 : 0
        for channel in 0..<3 {
          var value =
            background.bright[channel] * (1 - depth) + background.dark[channel] * depth - texture
          if distance < radius {
            let shade = 1 - 0.35 * distance / radius
            value = subject[channel] * shade + 0.10 * (1 - distance / radius)
          }
          light[(y * width + x) * 3 + channel] = value
        }
      }
    }
    return light
  }

  /// The background's hue for a harmony of 0, the opposite one for 1.
  private mutating func subjectHue(_ hue: Double) -> Double {
    let turn = 0.5 * scene.harmony
    return hue + (random.unit() < 0.5 ? turn : -turn)
  }

  /// On a point of thirds for a composition of 1, in a corner for 0.
  private mutating func subjectCenter() -> (x: Double, y: Double) {
    let left = random.unit() < 0.5
    let top = random.unit() < 0.5
    func place(_ low: Bool, _ length: Int) -> Double {
      let third = low ? 1.0 / 3 : 2.0 / 3
      let edge = low ? 0.02 : 0.98
      return (edge + (third - edge) * scene.composition) * Double(length)
    }
    return (place(left, width), place(top, height))
  }

  /// A box blur, twice, of up to 4 pixels.
  private func blur(_ light: inout [Double]) {
    let radius = Int((1 - scene.sharpness) * 4.5)
    guard radius > 0 else { return }
    for _ in 0..<2 {
      light = boxed(light, radius: radius, across: true)
      light = boxed(light, radius: radius, across: false)
    }
  }

  private func boxed(_ light: [Double], radius: Int, across: Bool) -> [Double] {
    var result = light
    let length = across ? width : height
    let lines = across ? height : width
    let step = (across ? 1 : width) * 3
    let lineStep = (across ? width : 1) * 3
    for line in 0..<lines {
      for channel in 0..<3 {
        let start = line * lineStep + channel
        func at(_ i: Int) -> Double { light[start + min(max(i, 0), length - 1) * step] }
        var sum = (-radius...radius).reduce(0.0) { $0 + at($1) }
        for i in 0..<length {
          result[start + i * step] = sum / Double(2 * radius + 1)
          sum += at(i + radius + 1) - at(i - radius)
        }
      }
    }
    return result
  }

  /// RGB of a hue on the circle 0..<1, by straight lines between its six corners.
  private func color(_ hue: Double, _ saturation: Double, _ value: Double) -> [Double] {
    let turn = (hue - hue.rounded(.down)) * 6
    return [5.0, 3.0, 1.0].map { offset in
      let k = (offset + turn).truncatingRemainder(dividingBy: 6)
      let share = max(0, min(k, 4 - k, 1))
      return value - value * saturation * share
    }
  }
}
