import RocData
import RocJSON
import RocModel
import RocNames
import RocTool

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// A file of answers that grows by one record a picture, so that an interrupted `score` goes on.
///
/// Every record ends in the identity of what made it (`run`): answers of another checkpoint,
/// question or precision never stand in one file. Pictures that failed are tried again.
final class AnswerFile {
  private let path: String
  private let form: AnswerForm
  private let run: String
  private var descriptor: Int32 = -1
  /// The records of the file in their order; those that failed are empty until they are scored.
  private var records: [(image: ExactText, bytes: [UInt8])] = []
  private var places: [ExactText: Int] = [:]
  private var retried: Set<ExactText> = []
  /// Whether answers to pictures that failed before are put in their places at the end.
  private var keepsOrder = false

  /// - Parameters:
  ///   - path: The file; one that is not there is made.
  ///   - form: How records are written.
  ///   - run: What makes the answers.
  /// - Throws: `CommandError` when the file cannot be written, is in use, or holds other things.
  init(_ path: String, form: AnswerForm, run: String) throws(CommandError) {
    self.path = path
    self.form = form
    self.run = run
    try open()
    let bytes = try contents()
    let whole = form.wholeLength(bytes)
    var isChanged = whole < bytes.count
    var records = form.records(bytes[..<whole])
    if form.header != nil {
      if records.isEmpty {
        isChanged = true
      } else {
        try check(header: records.removeFirst())
      }
    }
    for (number, range) in records.enumerated() {
      let text = bytes[range]
      guard let (image, run, isFailed) = form.read(text) else {
        throw refuse("record \(number + 1) is none of roc-eval score's")
      }
      guard run == self.run else {
        throw refuse(
          "holds answers of another checkpoint, question or precision (run \(run), this is \(self.run))"
        )
      }
      places[ExactText(image)] = self.records.count
      self.records.append((ExactText(image), isFailed ? [] : Array(text)))
      if isFailed { retried.insert(image) }
    }
    // A kill in the middle of a record left its beginning.
    if isChanged { try rewrite() }
    keepsOrder = !retried.isEmpty
    if !keepsOrder { self.records = [] }
  }

  deinit { if descriptor >= 0 { close(descriptor) } }

  /// Whether a picture needs no scoring.
  func has(_ image: String) -> Bool { places[image] != nil && !retried.contains(image) }

  /// Writes one answer.
  func add(_ image: String, _ outcome: ScoredPicture) throws(CommandError) {
    let bytes = Array((form.record(image, outcome, run: run) + "\n").utf8)
    if keepsOrder {
      if let place = places[image] {
        records[place].bytes = bytes
      } else {
        places[image] = records.count
        records.append((ExactText(image), bytes))
      }
    } else {
      places[image] = 0
    }
    retried.remove(ExactText(image))
    try append(bytes)
  }

  /// Ends the file: each picture once, in the order in which they were asked for.
  func finish() throws(CommandError) {
    if keepsOrder { try rewrite() }
    guard fsync(descriptor) == 0 || errno == EINVAL || errno == EROFS else {
      throw failure(errno)
    }
  }

  private func open() throws(CommandError) {
    let opened = openForAppending(path)
    guard opened >= 0 else { throw failure(errno) }
    guard flock(opened, LOCK_EX | LOCK_NB) == 0 else {
      close(opened)
      throw CommandError(.busy, "\(path): another roc-eval score is writing it")
    }
    if descriptor >= 0 { close(descriptor) }
    descriptor = opened
  }

  private func contents() throws(CommandError) -> [UInt8] {
    var result: [UInt8] = []
    var block = [UInt8](repeating: 0, count: 1 << 20)
    while true {
      let count = pread(descriptor, &block, block.count, off_t(result.count))
      if count < 0 {
        if errno == EINTR { continue }
        // Pipes and devices hold no earlier answers.
        if errno == ESPIPE || errno == EINVAL { return [] }
        throw failure(errno)
      }
      if count == 0 { return result }
      result += block[..<count]
    }
  }

  private func append(_ bytes: [UInt8]) throws(CommandError) {
    let code = Console.writeAll(bytes, to: descriptor)
    guard code == 0 else { throw failure(code) }
  }

  /// Writes what is known anew, whole or not at all.
  private func rewrite() throws(CommandError) {
    var blocks = form.header.map { [Array("\($0)\n".utf8)] } ?? []
    for record in records where !record.bytes.isEmpty {
      blocks.append(record.bytes.last == 0x0A ? record.bytes : record.bytes + [0x0A])
    }
    try OutputFile.write(blocks: blocks, to: path)
    try open()
  }

  private func check(header range: Range<Int>) throws(CommandError) {
    let found = (try? contents()).map { String(decoding: $0[range], as: UTF8.self) } ?? ""
    guard found.isExactly(form.header ?? "") else {
      throw refuse("begins with \"\(found.prefix(80))\", expected \"\(form.header ?? "")\"")
    }
  }

  private func refuse(_ reason: String) -> CommandError {
    CommandError(.usage, "\(path): \(reason); name another file, or remove this one")
  }

  private func failure(_ code: Int32) -> CommandError {
    CommandError(.failed, "\(path): cannot be written: \(String(cString: strerror(code)))")
  }
}

private func openForAppending(_ path: String) -> Int32 {
  open(path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0o644)
}
