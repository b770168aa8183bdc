import RocDigest
package import RocImage
package import RocModel
package import RocNames
import RocTensor
import Synchronization

/// The pictures of a training run, prepared once and kept while there is room.
package final class PictureStore: Sendable {
  private let preprocessing: Preprocessing
  private let path: @Sendable (ImageKey) -> String?
  private let capacity: Int
  private let kept = Mutex(Kept())

  private struct Kept {
    var pictures: [ImageKey: Picture] = [:]
    var features: [ImageKey: Features] = [:]
    /// Language-model rows of every prepared picture, where the picture decides their number.
    var rows: [ImageKey: Int] = [:]
    var bytes = 0
  }

  /// - Parameters:
  ///   - preprocessing: The model's.
  ///   - capacity: Bytes that may be kept.
  ///   - path: Where the picture with a given name lies; nil where there is none.
  package init(
    preprocessing: Preprocessing, capacity: Int, path: @escaping @Sendable (ImageKey) -> String?
  ) {
    self.preprocessing = preprocessing
    self.capacity = capacity
    self.path = path
  }

  /// Why a picture cannot be used, after decoding and preparing it; nil when it can.
  package func reason(_ name: ImageKey) -> String? {
    do throws(PictureError) {
      _ = try picture(name)
      return nil
    } catch {
      return error.reason
    }
  }

  /// Rows of the language model that a picture takes, where the picture decides their number; nil
  /// where it does not, and for a picture that has not been prepared yet.
  package func rows(_ name: ImageKey) -> Int? { kept.withLock { $0.rows[name] } }

  /// The prepared picture of that name.
  package func pixels(_ name: ImageKey) throws(PictureError) -> Pixels {
    preprocessing.normalised(try picture(name))
  }

  /// What a vision encoder that is not trained makes of a picture, [tokens, vision width].
  package func features(
    _ name: ImageKey, _ vision: any VisionEncoder
  ) throws(PictureError) -> Features {
    if let box = kept.withLock({ kept -> Features? in kept.features[name] }) { return box }
    let box = Features(vision.encode([try pixels(name)], trace: nil))
    // The picture is not needed again.
    kept.withLock { kept in
      if let picture = kept.pictures.removeValue(forKey: name) {
        kept.bytes -= picture.byteCount
      }
    }
    keep(4 * box.rows.matrix.count, of: capacity) { $0.features[name] = box }
    return box
  }

  /// The SHA-256 of a picture's file; nil when it cannot be read.
  package func digest(_ name: ImageKey) -> String? {
    path(name).flatMap { try? SHA256.of(file: $0) }
  }

  private func picture(_ name: ImageKey) throws(PictureError) -> Picture {
    if let picture = kept.withLock({ kept -> Picture? in kept.pictures[name] }) { return picture }
    guard let path = path(name) else {
      throw PictureError(.missing, path: name.text, reason: "not in the image folder")
    }
    let picture = try preprocessing.resized(try Picture.read(path), path: path)
    if let rows = preprocessing.rows(width: picture.width, height: picture.height) {
      kept.withLock { $0.rows[name] = rows }
    }
    // Half of the room is left for features.
    keep(picture.byteCount, of: capacity / 2) { $0.pictures[name] = picture }
    return picture
  }

  private func keep(_ bytes: Int, of capacity: Int, _ store: (inout Kept) -> Void) {
    kept.withLock { kept in
      guard kept.bytes + bytes <= capacity else { return }
      kept.bytes += bytes
      store(&kept)
    }
  }
}

/// What a vision encoder made of one picture, kept.
package final class Features: Sendable {
  package let rows: PictureRows

  init(_ rows: consuming PictureRows) { self.rows = rows }
}
