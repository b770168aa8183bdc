import RocImage
import Synchronization

/// Small JPEG copies of pictures, made once and kept within a bound.
package final class Thumbnails: Sendable {
  /// One copy, or nil for a picture that cannot be read.
  private struct Entry {
    let bytes: [UInt8]?
    var used: Int
  }

  private struct State {
    var entries: [String: Entry] = [:]
    var bytes = 0
    var clock = 0
  }

  private let state = Mutex(State())
  private let most: Int
  /// The longer side in pixels.
  private static let side = 320
  private static let quality = 82
  /// What an entry takes beside its bytes.
  private static let overhead = 256

  /// - Parameter most: Bytes that are kept.
  package init(most: Int = 256 << 20) { self.most = most }

  /// The copy of a file.
  ///
  /// - Parameters:
  ///   - path: The picture.
  ///   - stamp: Another one means another picture under that path.
  /// - Returns: A JPEG, or nil for a picture that cannot be read.
  package func thumbnail(_ path: String, stamp: String) -> [UInt8]? {
    let key = "\(stamp) \(path)"
    let known: Entry? = state.withLock { state in
      state.clock += 1
      state.entries[key]?.used = state.clock
      return state.entries[key]
    }
    if let known { return known.bytes }
    let bytes = Self.make(path)
    state.withLock { state in
      if state.entries[key] == nil { state.bytes += Self.cost(bytes) }
      state.entries[key] = Entry(bytes: bytes, used: state.clock)
      guard state.bytes > most else { return }
      // A quarter goes at once: looking for the oldest one each time would take long.
      let oldest = state.entries.sorted { $0.value.used < $1.value.used }
      for (key, entry) in oldest where state.bytes > most * 3 / 4 {
        state.entries[key] = nil
        state.bytes -= Self.cost(entry.bytes)
      }
    }
    return bytes
  }

  /// Bytes that are kept at the moment.
  package var bytes: Int { state.withLock { $0.bytes } }

  private static func cost(_ bytes: [UInt8]?) -> Int { (bytes?.count ?? 0) + overhead }

  private static func make(_ path: String) -> [UInt8]? {
    guard let picture = try? Picture.read(path) else { return nil }
    let longer = max(picture.width, picture.height)
    guard longer > side else { return picture.jpeg(quality: quality) }
    func scaled(_ length: Int) -> Int { max(1, (length * side + longer / 2) / longer) }
    return picture.resized(
      width: scaled(picture.width), height: scaled(picture.height), filter: .bilinear
    ).jpeg(quality: quality)
  }
}
