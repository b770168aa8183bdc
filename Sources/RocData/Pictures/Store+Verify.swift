import RocImage
package import RocStore

extension Store {
  /// Keeps what decoding pictures found.
  package func save(_ images: [VerifiedImage]) throws {
    try write { db in
      for image in images {
        let facts = image.facts
        try SampleRecord.setImage(
          db, sample: image.sample,
          .init(
            state: facts.state, reason: facts.reason, width: facts.width, height: facts.height,
            format: facts.format?.rawValue, sha256: facts.sha256,
            perceptualHash: facts.hash?.bytes, flags: facts.flagText))
      }
    }
  }
}
