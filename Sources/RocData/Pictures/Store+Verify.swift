package import RocStore

extension Store {
  /// Keeps what decoding pictures found.
  package func save(_ images: [VerifiedImage]) throws {
    try write { db in
      for image in images {
        try SampleRecord.setImage(
          db, sample: image.sample, state: image.state, reason: image.reason,
          width: image.width, height: image.height, sha256: image.sha256)
      }
    }
  }
}
