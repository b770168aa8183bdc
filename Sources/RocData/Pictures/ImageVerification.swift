import Dispatch
import RocDigest
import RocImage
package import RocStore
import RocTensor
import Synchronization

/// What decoding one picture fully found.
package struct VerifiedImage: Sendable {
  package let sample: Int64
  package let key: String
  package let state: ImageState
  package let reason: String?
  package let width: Int?
  package let height: Int?
  package let sha256: String?
}

/// Decodes pictures on all cores.
package enum ImageVerification {
  /// - Parameters:
  ///   - samples: Pictures with the path where they should be.
  ///   - jobs: Pictures decoded at the same time.
  /// - Returns: One result for each sample, in order.
  package static func run(_ samples: [SampleRecord], jobs: Int) -> [VerifiedImage] {
    let results = Mutex<[VerifiedImage?]>(Array(repeating: nil, count: samples.count))
    let next = Atomic<Int>(0)
    DispatchQueue.concurrentPerform(iterations: min(jobs, max(samples.count, 1))) { _ in
      while true {
        let index = next.wrappingAdd(1, ordering: .relaxed).oldValue
        guard index < samples.count else { return }
        let result = verify(samples[index])
        results.withLock { $0[index] = result }
      }
    }
    return results.withLock { $0.compactMap { $0 } }
  }

  private static func verify(_ sample: SampleRecord) -> VerifiedImage {
    func result(
      _ state: ImageState, _ reason: String?, _ picture: Picture? = nil, sha256: String? = nil
    ) -> VerifiedImage {
      VerifiedImage(
        sample: sample.id, key: sample.key, state: state, reason: reason, width: picture?.width,
        height: picture?.height, sha256: sha256)
    }
    guard let path = sample.path else {
      return result(.missing, "not in the image folder")
    }
    let file: MappedFile
    do throws(FileError) {
      file = try MappedFile(path: path)
    } catch {
      return result(error.isMissing ? .missing : .unreadable, error.reason)
    }
    let digest = file.withBytes { SHA256.of($0) }
    do throws(PictureError) {
      let picture = try file.withBytes { bytes throws(PictureError) in
        try Picture.decode(bytes, path: path)
      }
      return result(.readable, nil, picture, sha256: digest)
    } catch {
      return result(.unreadable, error.reason, sha256: digest)
    }
  }
}
