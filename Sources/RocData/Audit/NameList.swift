import RocJSON
import RocTensor

/// The picture names of any list: ids, names with labels, the first column of a table, or the
/// `image` or `img_path` of JSON records.
package enum NameList {
  /// - Throws: `DataError` when the file cannot be read or holds no names.
  package static func read(_ path: String) throws(DataError) -> [String] {
    let reader = try LineReader(path, name: path)
    var names: [String] = []
    var isJSON: Bool?
    reader.eachLine { number, line in
      let text = String(decoding: line, as: UTF8.self).trimmingBlanks
      if isJSON == nil, let first = text.first { isJSON = first == "[" || first == "{" }
      guard isJSON == false, let field = text.split(whereSeparator: { " ,\t".contains($0) }).first
      else { return }
      // A header names columns, not pictures.
      let isHeader =
        number == 1 && ["image_id", "image", "id", "name"].contains(field.lowercased())
      if !isHeader { names.append(String(field)) }
    }
    if isJSON == true { names = try records(path) }
    guard !names.isEmpty else { throw DataError("\(path): no picture names in it") }
    return names
  }

  private static func records(_ path: String) throws(DataError) -> [String] {
    let file = try MappedFile.ofData(path)
    return try file.withBytes { bytes throws(DataError) in
      var reader = JSONRecords(bytes, readsNonFinite: true)
      var names: [String] = []
      do throws(JSONError) {
        while let record = try reader.next() {
          if let name = (record["image"] ?? record["img_path"])?.string { names.append(name) }
        }
      } catch {
        throw DataError("\(path): not JSON: \(error)")
      }
      return names
    }
  }
}
