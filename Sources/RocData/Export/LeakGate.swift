import RocNames
import RocStore

/// Training on what is tested makes every number wrong, so train and val go through the audit.
struct LeakGate {
  let request: ExportRequest
  let note: (String) -> Void

  func withoutLeaks(
    _ samples: [SampleRecord], _ name: SplitName, _ store: Store, _ record: DatasetRecord
  ) throws -> [SampleRecord] {
    guard name.part != "test" else { return samples }
    let audit = try LeakAudit(store, record, isGate: true)
    for leak in audit.pictureLeaks(of: name) {
      guard request.force else {
        throw JobError(
          .checkFailed,
          "\(leak.text); roc-data audit \(record.name) lists more; --force exports anyway")
      }
      note("Warning: \(leak.text)")
    }
    let photos = audit.photoLeaks(of: name)
    guard !photos.isEmpty else { return samples }
    if request.dropsTestedPhotos {
      let tested = audit.sharing(photosOf: SplitName(scheme: name.scheme, part: "test"))
      let kept = samples.filter { !tested.contains($0.id) }
      note(
        "left out: \(samples.count - kept.count) pictures whose photo is in the test part")
      return kept
    }
    for leak in photos {
      guard !request.isStrict else {
        throw JobError(.checkFailed, "\(leak.text); --dedup-photos leaves them out")
      }
      note("Warning: \(leak.text); --dedup-photos leaves them out")
    }
    return samples
  }
}
