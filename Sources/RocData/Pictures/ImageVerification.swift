import RocFiles
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
  package static func run(
    _ samples: [SampleRecord], jobs: Int, folder: ImageFolder? = nil
  ) -> [VerifiedImage] {
    Parallel.map(samples, jobs: jobs) { sample in
      VerifiedImage(sample: sample.id, key: sample.key, facts: facts(sample, folder))
    }
  }

  private static func facts(_ sample: SampleRecord, _ folder: ImageFolder?) -> PictureFacts {
    guard let path = sample.path else {
      let reason = folder?.reason(sample.key, in: "the image folder")
      return .absent(.missing, reason ?? "not in the image folder")
    }
    do throws(FileError) {
      let file = try MappedFile(path: path)
      return file.withBytes { PictureFacts.of($0, name: path) }
    } catch {
      return .absent(error.isMissing ? .missing : .unreadable, error.reason)
    }
  }
}
