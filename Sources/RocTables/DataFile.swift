package import RocFiles

extension MappedFile {
  /// Maps a file of data.
  ///
  /// - Throws: `DataError` that names the file and says whether it is missing.
  package static func ofData(_ path: String) throws(DataError) -> MappedFile {
    let file: MappedFile
    do throws(FileError) {
      file = try MappedFile(path: path)
    } catch {
      throw DataError(error.description, isMissing: error.isMissing)
    }
    let start = file.withBytes { Array($0.prefix(2)) }
    if start == [0xFF, 0xFE] || start == [0xFE, 0xFF] {
      throw DataError(
        "\(path): is UTF-16 text, expected UTF-8; convert it: iconv -f UTF-16 -t UTF-8 FILE")
    }
    return file
  }
}
