import Dispatch
import RocFiles
import RocImage

/// Reads and prepares pictures ahead of the engine, in the order given.
final class PicturePipeline: @unchecked Sendable {
  /// One picture on its way: filled by the queue, emptied by the engine.
  private final class PendingPicture: @unchecked Sendable {
    let ready = DispatchSemaphore(value: 0)
    var picture: PreparedPicture?
  }

  private let paths: [String]
  private let preprocessing: Preprocessing
  private let queue = DispatchQueue(label: "roc.pictures")
  private var pending: [Int: PendingPicture] = [:]
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
    let pending = PendingPicture()
    self.pending[index] = pending
    queue.async { [paths, preprocessing] in
      pending.picture = PreparedPicture(path: paths[index], preprocessing)
      pending.ready.signal()
    }
  }

  /// Picture `index`, which must be taken in rising order.
  func take(_ index: Int) -> PreparedPicture {
    guard let pending = pending.removeValue(forKey: index) else {
      preconditionFailure("picture \(index) taken out of order")
    }
    pending.ready.wait()
    if index + ahead < paths.count { start(index + ahead) }
    guard let picture = pending.picture else {
      preconditionFailure("picture \(index) was not prepared")
    }
    return picture
  }
}
