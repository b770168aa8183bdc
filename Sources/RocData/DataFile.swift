import RocTensor

extension MappedFile {
  /// Maps a file of data.
  ///
  /// - Throws: `DataError` that names the file and says whether it is missing.
  static func ofData(_ path: String) throws(DataError) -> MappedFile {
    do throws(FileError) {
      return try MappedFile(path: path)
    } catch {
      throw DataError(error.description, isMissing: error.isMissing)
    }
  }
}
