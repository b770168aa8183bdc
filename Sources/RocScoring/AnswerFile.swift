import RocFiles
package import RocModel
package import RocNames

/// A file of answers that grows by one record a picture, so that an interrupted `score` can go on.
///
/// Every record ends in the identity of what made it (`run`): answers of different checkpoints,
/// questions or precisions never share a file. Pictures that failed, or that were replaced since,
/// are scored again and keep their places. A file that holds anything else is left as it is.
package final class AnswerFile {
  private let path: String
  private let form: AnswerForm
  private let run: String
  private let note: (String) -> Void
  private var file: OpenFile
  /// Pipes and devices hold no earlier answers.
  private var isRegular: Bool { file.facts?.kind == .file }
  /// The records of the file in their order, kept while some of them are made again.
  private var records: [(image: ExactText, bytes: [UInt8])] = []
  private var places: [ExactText: Int] = [:]
  private var retried: Set<ExactText> = []
  /// Whether records are put in their places at the end.
  private var keepsOrder = false

  /// - Parameters:
  ///   - path: The file; one that is not there is made.
  ///   - form: How records are written.
  ///   - run: What makes the answers.
  ///   - note: Gets what the user should know.
  /// - Throws: `JobError` when the file cannot be written, is in use, or holds other things.
  package init(
    _ path: String, form: AnswerForm, run: String, note: @escaping (String) -> Void
  ) throws(JobError) {
    self.path = path
    self.form = form
    self.run = run
    self.note = note
    file = try Self.open(path)
    guard isRegular else {
      if let header = form.header { try append(Array("\(header)\n".utf8)) }
      return
    }
    let bytes = try writing { () throws(FileError) in try file.read(.max) }
    var ranges = form.records(bytes[...])
    let whole = ranges.last.map { $0.upperBound + 1 } ?? 0
    // Editors leave out the last line end, a kill the end of a record.
    let tail = bytes[whole...]
    let isTailWhole = form.isHeader(tail) || form.read(tail) != nil
    if isTailWhole { ranges.append(whole..<bytes.count) }
    guard tail.isEmpty || isTailWhole || form.isBeginning(tail, ofFirst: whole == 0) else {
      throw refuse("ends in something else than answers of roc-eval score")
    }
    if form.header != nil, !ranges.isEmpty {
      let found = String(decoding: bytes[ranges.removeFirst()], as: UTF8.self)
      guard found.isExactly(form.header ?? "") else {
        throw refuse(
          "begins with \(Quoted.name(String(found.prefix(80)))), expected \"\(form.header ?? "")\"")
      }
    }
    for (number, range) in ranges.enumerated() { try take(bytes[range], number: number + 1) }
    if isTailWhole {
      try append([0x0A])
    } else if !tail.isEmpty {
      let text = Quoted.name(String(decoding: tail.prefix(200), as: UTF8.self))
      note("\(path): a record that was not written to its end is cut off: \(text)")
      try writing { () throws(FileError) in try file.truncate(to: whole) }
    }
    if let header = form.header, whole == 0, !isTailWhole { try append(Array("\(header)\n".utf8)) }
    keepsOrder = keepsOrder || !retried.isEmpty
    if !keepsOrder { records = [] }
  }

  /// Takes a record of the file; of two about the same picture, the later one counts.
  private func take(_ text: ArraySlice<UInt8>, number: Int) throws(JobError) {
    guard let record = form.read(text) else {
      throw refuse("record \(number) is none of roc-eval score's")
    }
    let image = record.image
    guard record.run.isExactly(run) else {
      throw refuse(
        "holds answers of another checkpoint, question or precision (run \(record.run), this is \(run))"
      )
    }
    if let place = places[image] {
      records[place].bytes = Array(text)
      keepsOrder = true
    } else {
      places[image] = records.count
      records.append((ExactText(image), Array(text)))
    }
    // A picture that was replaced since is another one; one that is gone has not become another.
    let modified = FileFacts(image)?.modified
    let isStale = modified != nil && modified != record.modified
    if record.isFailed || isStale {
      retried.insert(image)
    } else {
      retried.remove(ExactText(image))
    }
  }

  /// Whether a picture needs no scoring.
  package func has(_ image: String) -> Bool { places[image] != nil && !retried.contains(image) }

  /// Writes one answer.
  package func add(_ image: String, _ outcome: ScoredPicture) throws(JobError) {
    let text = form.record(image, outcome, run: run, modified: outcome.file?.modified)
    let bytes = Array((text + "\n").utf8)
    let known = places[image]
    if keepsOrder {
      if let known {
        records[known].bytes = bytes
      } else {
        places[image] = records.count
        records.append((ExactText(image), bytes))
      }
    } else if known == nil {
      places[image] = 0
    }
    retried.remove(ExactText(image))
    try append(bytes)
  }

  /// Ends the file: each picture once, in the order in which they were asked for.
  package func finish() throws(JobError) {
    guard isRegular else { return }
    if keepsOrder, !isWrittenInPlace(path) {
      do throws(JobError) {
        try rewrite()
      } catch {
        // A folder that cannot be written: later records of a picture count all the same.
        note("Warning: \(error.message); new answers stay at the end of the file")
      }
    }
    try writing { () throws(FileError) in try file.synchronise() }
  }

  /// Opens and locks the file.
  private static func open(_ path: String) throws(JobError) -> OpenFile {
    while true {
      // A pipe that is read and written by one process never ends.
      let isOther = FileFacts(path).map { $0.kind != .file } ?? false
      let file = try Self.writing(path) { () throws(FileError) in
        try OpenFile(path, isOther ? .inPlace : .appending)
      }
      guard !isOther else { return file }
      guard file.lock() != .taken else {
        throw JobError(.busy, "\(path): another roc-eval score is writing it")
      }
      // Somebody may have put another file in its place between opening and locking.
      if file.isStillThere { return file }
    }
  }

  private func append(_ bytes: [UInt8]) throws(JobError) {
    try writing { () throws(FileError) in try file.write(bytes) }
  }

  /// Writes all that is known again, whole or not at all.
  private func rewrite() throws(JobError) {
    var blocks = form.header.map { [Array("\($0)\n".utf8)] } ?? []
    for record in records {
      blocks.append(record.bytes.last == 0x0A ? record.bytes : record.bytes + [0x0A])
    }
    try writing { () throws(FileError) in
      Partial.clear(besides: path)
      let new = try NewFile(path)
      for block in blocks { try new.write(block) }
      try new.commit()
    }
    file = try Self.open(path)
  }

  private func refuse(_ reason: String) -> JobError {
    JobError(.usage, "\(path): \(reason); name another file, or remove this one")
  }

  private func writing<Value>(
    _ body: () throws(FileError) -> Value
  ) throws(JobError) -> Value { try Self.writing(path, body) }

  private static func writing<Value>(
    _ path: String, _ body: () throws(FileError) -> Value
  ) throws(JobError) -> Value {
    do throws(FileError) {
      return try body()
    } catch {
      throw JobError(.failed, "\(path): cannot be written: \(error.reason)")
    }
  }
}
