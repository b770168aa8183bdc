import Dispatch
package import RocStore
import RocTensor
import Synchronization

/// What was found about the picture of one sample.
package struct VerifiedImage: Sendable {
  package let sample: Int64
  package let key: String
  package let facts: PictureFacts

  package init(sample: Int64, key: String, facts: PictureFacts) {
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
  /// - Returns: One result for each sample, in order.
  package static func run(_ samples: [SampleRecord], jobs: Int) -> [VerifiedImage] {
    inParallel(samples, jobs: jobs) { sample in
      VerifiedImage(sample: sample.id, key: sample.key, facts: facts(sample))
    }
  }

  /// Calls `body` for all items on `jobs` threads; the results are in order.
  static func inParallel<Item: Sendable, Result: Sendable>(
    _ items: [Item], jobs: Int, _ body: @Sendable (Item) -> Result
  ) -> [Result] {
    let results = Mutex<[Result?]>(Array(repeating: nil, count: items.count))
    let next = Atomic<Int>(0)
    DispatchQueue.concurrentPerform(iterations: min(jobs, max(items.count, 1))) { _ in
      while true {
        let index = next.wrappingAdd(1, ordering: .relaxed).oldValue
        guard index < items.count else { return }
        let result = body(items[index])
        results.withLock { $0[index] = result }
      }
    }
    return results.withLock { $0.compactMap { $0 } }
  }

  private static func facts(_ sample: SampleRecord) -> PictureFacts {
    guard let path = sample.path else { return .absent(.missing, "not in the image folder") }
    do throws(FileError) {
      let file = try MappedFile(path: path)
      return file.withBytes { PictureFacts.of($0, name: path) }
    } catch {
      return .absent(error.isMissing ? .missing : .unreadable, error.reason)
    }
  }
}
