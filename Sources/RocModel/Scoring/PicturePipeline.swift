import Dispatch
import RocImage

/// Reads and prepares pictures ahead of the engine, in the order given.
final class PicturePipeline: @unchecked Sendable {
  /// One picture on its way: filled by the queue, emptied by the engine.
  private final class Slot: @unchecked Sendable {
    let ready = DispatchSemaphore(value: 0)
    var pixels: Pixels?
    var error: PictureError?
  }

  private let paths: [String]
  private let preprocessing: Preprocessing
  private let queue = DispatchQueue(label: "roc.pictures")
  private var slots: [Int: Slot] = [:]
  private let ahead: Int

  /// - Parameters:
  ///   - paths: Pictures in the order in which they will be taken.
  ///   - preprocessing: The model's.
  ///   - ahead: Pictures that may wait in memory; at least 1.
  init(paths: [String], preprocessing: Preprocessing, ahead: Int) {
    self.paths = paths
    self.preprocessing = preprocessing
    self.ahead = max(ahead, 1)
    for index in paths.indices.prefix(self.ahead) { start(index) }
  }

  private func start(_ index: Int) {
    let slot = Slot()
    slots[index] = slot
    queue.async { [paths, preprocessing] in
      let path = paths[index]
      do throws(PictureError) {
        slot.pixels = try preprocessing(try Picture.read(path), path: path)
      } catch {
        slot.error = error
      }
      slot.ready.signal()
    }
  }

  /// The pixels of picture `index`, which must be taken in rising order.
  func take(_ index: Int) throws(PictureError) -> Pixels {
    guard let slot = slots.removeValue(forKey: index) else {
      preconditionFailure("picture \(index) taken out of order")
    }
    slot.ready.wait()
    if index + ahead < paths.count { start(index + ahead) }
    if let error = slot.error { throw error }
    guard let pixels = slot.pixels else {
      preconditionFailure("picture \(index) has neither pixels nor an error")
    }
    return pixels
  }
}
