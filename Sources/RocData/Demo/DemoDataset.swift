import Dispatch
import Foundation
import RocFiles
import RocImage
package import RocTables
import Synchronization

/// Makes a dataset procedurally, in AVA's own file layout, pictures included.
package struct DemoDataset: Sendable {
  package let images: Int
  package let seed: UInt64

  package init(images: Int, seed: UInt64) {
    self.images = images
    self.seed = seed
  }

  /// A third of the pictures is the test split.
  package var testCount: Int { images / 3 }

  /// One picture of the set: its id, how it looks and what the voters said.
  struct Item: Sendable {
    let id: Int
    let scene: DemoScene
    let votes: [Int]
    /// State for everything about the picture that does not matter to its score.
    let random: RandomSource
  }

  /// Ids by which an import recognises the demo.
  static let firstID = 100_001
  static let idStep = 7

  /// The pictures in the order of the label file.
  func items() -> [Item] {
    var random = RandomSource(seed: seed)
    return (0..<images).map { i in
      var own = RandomSource(seed: random.next())
      let scene = DemoScene(&own)
      let votes = scene.votes(&own)
      return Item(id: Self.firstID + Self.idStep * i, scene: scene, votes: votes, random: own)
    }
  }

  /// Every third picture is a test picture.
  static func isTest(_ index: Int) -> Bool { index % 3 == 2 }

  /// The picture of an item.
  static func picture(_ item: Item) -> Picture {
    var random = item.random
    var painter = DemoPainter(item.scene, random: &random)
    return painter.paint()
  }

  /// Writes labels, lists and pictures.
  ///
  /// - Parameters:
  ///   - folder: Created; must not hold a file where a folder is needed.
  ///   - progress: Called with the number of pictures written, by several threads in turn.
  /// - Throws: `DataError` naming what could not be written.
  package func write(
    to folder: String, progress: @Sendable (Int) -> Void = { _ in }
  ) throws(DataError) {
    let items = items()
    try makeFolder("\(folder)/images")
    try makeFolder("\(folder)/aesthetics_image_lists")
    var labels = ""
    for (i, item) in items.enumerated() {
      let votes = item.votes.map(String.init).joined(separator: " ")
      let tag = item.scene.sharpness < 0.5 ? 2 : 1
      labels += "\(i + 1) \(item.id) \(votes) \(tag) 0 \(1 + i % 2)\n"
    }
    func list(_ isIncluded: (Int) -> Bool) -> String {
      items.indices.filter(isIncluded).map { "\(items[$0].id)\n" }.joined()
    }
    try put(Array(labels.utf8), "\(folder)/AVA.txt")
    try put(Array("1 Sharp\n2 Soft focus\n".utf8), "\(folder)/tags.txt")
    try put(Array("1 Free_Study\n2 Shapes_and_Colours\n".utf8), "\(folder)/challenges.txt")
    let lists = "\(folder)/aesthetics_image_lists"
    try put(Array(list(Self.isTest).utf8), "\(lists)/generic_test.jpgl")
    try put(Array(list { !Self.isTest($0) }.utf8), "\(lists)/generic_ls_train.jpgl")
    try put(Array(list { $0 % 12 == 0 }.utf8), "\(lists)/generic_ss_train.jpgl")
    try writePictures(items, folder: "\(folder)/images", progress)
  }

  private func writePictures(
    _ items: [Item], folder: String, _ progress: @Sendable (Int) -> Void
  ) throws(DataError) {
    let failure = Mutex<DataError?>(nil)
    let written = Mutex(0)
    DispatchQueue.concurrentPerform(iterations: items.count) { index in
      let item = items[index]
      do throws(DataError) {
        let bytes = Self.picture(item).jpeg(quality: 92)
        try put(bytes, "\(folder)/\(item.id).jpg")
        written.withLock {
          $0 += 1
          progress($0)
        }
      } catch {
        failure.withLock { $0 = error }
      }
    }
    if let error = failure.withLock({ $0 }) { throw error }
  }

  private func makeFolder(_ path: String) throws(DataError) {
    do throws(FileError) {
      try makeFolders(path)
    } catch {
      throw DataError("\(path): the folder cannot be made: \(error.reason)")
    }
  }

  private func put(_ bytes: [UInt8], _ path: String) throws(DataError) {
    do throws(FileError) {
      try NewFile.write(bytes, to: path, isDurable: false)
    } catch {
      throw DataError("\(path): cannot be written: \(error.reason)")
    }
  }
}
