import Foundation

/// A label package in AVA's layout with made-up rows.
package struct MadeUpAVA {
  package let folder: TemporaryFolder
  package var path: String { "\(folder.path)/AVA_dataset" }

  /// Ids 11, 12, … with votes that are easy to check: picture i has i votes for 3 and 2 for 9.
  package static func row(_ index: Int, id: Int) -> String {
    "\(index) \(id) 0 0 \(index) 0 0 0 0 0 2 0 1 22 1396"
  }

  /// - Parameters:
  ///   - labels: Contents of AVA.txt; ten rows when nil.
  ///   - test: Ids of generic_test.jpgl.
  /// - Throws: What writing files throws.
  package init(labels: String? = nil, test: [Int] = [12, 14, 99]) throws {
    folder = try TemporaryFolder()
    let rows = (1...10).map { Self.row($0, id: 10 + $0) }.joined(separator: "\n") + "\n"
    try folder.write(labels ?? rows, to: "AVA_dataset/AVA.txt")
    try folder.write("1 Abstract\n22 Insects, etc\n", to: "AVA_dataset/tags.txt")
    try folder.write("1396 100_Meters\n", to: "AVA_dataset/challenges.txt")
    let lists = "AVA_dataset/aesthetics_image_lists"
    try folder.write(
      test.map { "\($0)\n" }.joined(), to: "\(lists)/generic_test.jpgl")
    try folder.write("11\n13\n98\n97\n", to: "\(lists)/generic_ls_train.jpgl")
    let styles = "AVA_dataset/style_image_lists"
    try folder.write("1 Duotones\n2 HDR\n3 Long_Exposure\n", to: "\(styles)/styles.txt")
    try folder.write("11\n13\n15\n", to: "\(styles)/train.jpgl")
    try folder.write("2\n3\n1\n", to: "\(styles)/train.lab")
    try folder.write("12\n14\n", to: "\(styles)/test.jpgl")
    try folder.write("1 0 1\n0 0 0\n", to: "\(styles)/test.multilab")
  }

  /// Puts a picture beside the labels for each of these ids.
  package func addPictures(_ ids: [Int], from fixture: String = "images/rgb_64x64.png") throws {
    for id in ids {
      try folder.write(
        Data(contentsOf: URL(fileURLWithPath: Fixture.path(fixture))), to: "images/\(id).jpg")
    }
  }

  package var images: String { "\(folder.path)/images" }
  package var database: String { "\(folder.path)/roc.sqlite" }
}
