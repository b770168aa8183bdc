import CRocImage

/// What turns a picture into the numbers the vision encoder sees.
package struct Preprocessing: Sendable, Equatable {
  /// How a picture gets the shape that the network takes.
  package enum Shape: Sendable, Equatable {
    /// Bars of the mean colour make it square.
    case pad
    /// The shorter edge is resized to `size`, and only the middle is kept.
    case crop
    /// Nothing is cut: both sides are resized to multiples of a factor.
    case fit(PixelLimits)
  }

  /// Pillow's number for a filter.
  package enum Filter: Int, Sendable {
    case lanczos = 1
    case bilinear = 2
    case bicubic = 3
  }

  /// Edge of the resized picture; 0 for `fit`.
  package var size: Int
  /// Edge of the square that is cut from it; 0 for `fit`.
  package var cropSize: Int
  package var mean: [Double]
  package var deviation: [Double]
  package var rescale: Double
  package var filter: Filter
  package var shape: Shape

  /// CLIP's mean of red, green and blue.
  package static let clipMean = [0.48145466, 0.4578275, 0.40821073]
  /// CLIP's standard deviation of red, green and blue.
  package static let clipDeviation = [0.26862954, 0.26130258, 0.27577711]

  /// CLIP's normalisation unless another is given.
  package init(
    size: Int, cropSize: Int? = nil, mean: [Double] = Preprocessing.clipMean,
    deviation: [Double] = Preprocessing.clipDeviation, rescale: Double = 1.0 / 255,
    filter: Filter = .bicubic, shape: Shape = .pad
  ) {
    self.size = size
    self.cropSize = cropSize ?? size
    self.mean = mean
    self.deviation = deviation
    self.rescale = rescale
    self.filter = filter
    self.shape = shape
  }

  /// The normalised pixels of a picture, cropSize x cropSize or as large as it was fitted.
  ///
  /// - Throws: `PictureError` for a picture so long and thin that what is cropped does not fit in
  ///   memory, or that it cannot be fitted.
  package func callAsFunction(_ picture: Picture, path: String) throws(PictureError) -> Pixels {
    normalised(try resized(picture, path: path))
  }

  /// The picture in the size that is cropped and normalised: what is worth keeping, in a quarter of
  /// the memory that its pixels take as floats.
  ///
  /// - Throws: `PictureError` as the whole preparation does.
  package func resized(_ picture: Picture, path: String) throws(PictureError) -> Picture {
    switch shape {
    case .pad: return picture.resizedAsSquare(size: size, bar: barColor, filter: filter)
    case .crop: break
    case .fit(let limits):
      guard let size = limits.size(width: picture.width, height: picture.height) else {
        throw PictureError(
          .tooLarge, path: path,
          reason: """
            \(picture.width) x \(picture.height) pixels: one side is more than \
            \(PixelLimits.largestRatio) times the other
            """)
      }
      let (needed, overflow) = size.width.multipliedReportingOverflow(by: size.height)
      guard !overflow, needed <= Self.mostPixels else {
        throw PictureError(
          .tooLarge, path: path,
          reason: """
            \(picture.width) x \(picture.height) pixels would become \(size.width) x \
            \(size.height), more than the \(Self.mostPixels) that are prepared
            """)
      }
      return picture.resized(width: size.width, height: size.height, filter: filter)
    }
    let short = min(picture.width, picture.height)
    let long = max(picture.width, picture.height)
    let (needed, overflow) = (size * size).multipliedReportingOverflow(by: long / short + 1)
    guard !overflow, needed <= Self.mostPixels else {
      throw PictureError(
        .tooLarge, path: path,
        reason: """
          \(picture.width) x \(picture.height) pixels would become \(needed), \
          more than the \(Self.mostPixels) that are prepared
          """)
    }
    return resized(picture)
  }

  /// As many as may be decoded.
  package static let mostPixels = Int(ROC_MOST_PIXELS)

  /// int(mean · 255): (122, 116, 104) for CLIP.
  package var barColor: (UInt8, UInt8, UInt8) {
    let bytes = mean.map { UInt8(min(max($0 * 255, 0), 255)) }
    return (bytes[0], bytes[1], bytes[2])
  }

  /// The shorter edge becomes `size`; the longer one is rounded down to whole pixels.
  private func resized(_ picture: Picture) -> Picture {
    let short = min(picture.width, picture.height)
    let long = Int(Double(size * max(picture.width, picture.height)) / Double(short))
    return picture.width <= picture.height
      ? picture.resized(width: size, height: long, filter: filter)
      : picture.resized(width: long, height: size, filter: filter)
  }

  /// The normalised pixels of what `resized` gave, cropSize x cropSize of it or all.
  package func normalised(_ picture: Picture) -> Pixels {
    var (height, width) = (cropSize, cropSize)
    if case .fit = shape { (height, width) = (picture.height, picture.width) }
    let top = (picture.height - height) / 2
    let left = (picture.width - width) / 2
    precondition(top >= 0 && left >= 0, "a crop of \(cropSize) from \(size)")
    let plane = height * width
    let values = [Float](unsafeUninitializedCapacity: 3 * plane) { buffer, filled in
      for channel in 0..<3 {
        // The product is taken in double and rounded, the rest is float32, as in transformers.
        let table = (0..<256).map { value in
          (Float(Double(value) * rescale) - Float(mean[channel])) / Float(deviation[channel])
        }
        let start = picture.pixels + (top * picture.width + left) * 3 + channel
        for y in 0..<height {
          let source = start + y * picture.width * 3
          let row = channel * plane + y * width
          for x in 0..<width { buffer[row + x] = table[Int(source[3 * x])] }
        }
      }
      filled = 3 * plane
    }
    return Pixels(height: height, width: width, values: values)
  }

  /// How many rows of the language model the pixels of a picture become where that depends on them;
  /// nil where it does not.
  package func rows(width: Int, height: Int) -> Int? {
    guard case .fit(let limits) = shape else { return nil }
    return width * height / (limits.factor * limits.factor)
  }

  /// The size in which a four-by-three photo of a megapixel reaches the network.
  package var usualSize: (width: Int, height: Int) {
    guard case .fit(let limits) = shape else { return (cropSize, cropSize) }
    return limits.size(width: 1152, height: 864) ?? (limits.factor, limits.factor)
  }
}

/// A picture as a network takes it: normalised, one plane per channel.
package struct Pixels: Sendable {
  package let height: Int
  package let width: Int
  /// [3, height · width], row after row.
  package let values: [Float]

  /// - Precondition: There are 3 · height · width values.
  package init(height: Int, width: Int, values: [Float]) {
    precondition(
      values.count == 3 * height * width, "\(values.count) values for \(height) x \(width) pixels")
    self.height = height
    self.width = width
    self.values = values
  }
}

extension Picture {
  /// Bars on both sides to a square of the longer edge, then Pillow's `resize` to size x size.
  package func resizedAsSquare(
    size: Int, bar: (UInt8, UInt8, UInt8), filter: Preprocessing.Filter
  ) -> Picture {
    let result = Picture(width: size, height: size)
    let kind = roc_filter(rawValue: UInt32(filter.rawValue))
    let color = [bar.0, bar.1, bar.2]
    guard roc_resize_square(pixels, width, height, color, result.pixels, size, kind) == 1 else {
      preconditionFailure("no memory to resize \(width) x \(height)")
    }
    return result
  }

  /// Pillow's `resize`, byte for byte.
  package func resized(
    width newWidth: Int, height newHeight: Int, filter: Preprocessing.Filter
  ) -> Picture {
    let result = Picture(width: newWidth, height: newHeight)
    let kind = roc_filter(rawValue: UInt32(filter.rawValue))
    guard roc_resize(pixels, width, height, result.pixels, newWidth, newHeight, kind) == 1 else {
      preconditionFailure("no memory to resize \(width) x \(height)")
    }
    return result
  }
}

extension Preprocessing {
  /// Everything that determines the pixels, on one line.
  package var summary: String {
    if case .fit(let limits) = shape {
      return """
        fit \(limits.least) to \(limits.most) pixels in multiples of \(limits.factor) \(filter) mean \
        \(mean) std \(deviation) rescale \(rescale)
        """
    }
    return """
      \(shape) size \(size) crop \(cropSize) \(filter) mean \(mean) std \(deviation) \
      rescale \(rescale)
      """
  }
}
