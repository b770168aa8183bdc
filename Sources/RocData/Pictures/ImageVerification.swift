import RocFiles
package import RocImage
package import RocNames
package import RocStore

/// What was found about the picture of one sample.
package struct VerifiedImage: Sendable {
  package let sample: Int64
  package let key: ImageKey
  package let facts: PictureFacts

  package init(sample: Int64, key: ImageKey, facts: PictureFacts) {
    self.sample = sample
    self.key = key
    self.facts = facts
  }
}

/// Decodes pictures on all cores.
package enum ImageVerification {
  /// - Parameters:
  ///   - samples: Pictures with the path where they should be.
  ///   - jobs: Pictures decoded at the same time.
  ///   - folder: Where an import looked for them: it knows why a picture was not found.
  /// - Returns: One result for each sample, in order.
  /// - Throws: `PictureError` when the machine is too short of something to look at pictures.
  package static func run(
    _ samples: [SampleRecord], jobs: Int, folder: ImageFolder? = nil
  ) throws(PictureError) -> [VerifiedImage] {
    let results = Parallel.map(samples, jobs: jobs) { sample in
      Result { () throws(PictureError) in
        VerifiedImage(sample: sample.id, key: sample.key, facts: try facts(sample, folder))
      }
    }
    var found: [VerifiedImage] = []
    for result in results { found.append(try result.get()) }
    return found
  }

  private static func facts(
    _ sample: SampleRecord, _ folder: ImageFolder?
  ) throws(PictureError) -> PictureFacts {
    guard let path = sample.path else {
      let reason = folder?.reason(sample.key, in: "the image folder")
      return .absent(.missing, reason ?? "not in the image folder")
    }
    let bytes: [UInt8]
    do throws(FileError) {
      bytes = try OpenFile.bytes(of: path)
    } catch {
      guard !error.isOfMachine else {
        throw PictureError(.machine, path: path, reason: error.reason)
      }
      return .absent(error.isMissing ? .missing : .unreadable, error.reason)
    }
    return try bytes.withUnsafeBytes { bytes in
      Result { () throws(PictureError) in try PictureFacts.of(bytes, name: path) }
    }.get()
  }
}
