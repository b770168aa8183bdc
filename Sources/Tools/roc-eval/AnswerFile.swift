import RocData
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
/// question or precision never stand in one file. Pictures that failed, or that are newer than the
/// file, are scored again and keep their places. A file of anything else is left as it is.
final class AnswerFile {
  private let path: String
  private let form: AnswerForm
  private let run: String
  private var descriptor: Int32 = -1
  /// Pipes and devices hold no earlier answers.
  private var isRegular = true
  /// The records of the file in their order, kept while some of them are made anew.
  private var records: [(image: ExactText, bytes: [UInt8])] = []
  private var places: [ExactText: Int] = [:]
  private var retried: Set<ExactText> = []
  /// Whether records are put in their places at the end.
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
    let written = try open()
    guard isRegular else {
      if let header = form.header { try append(Array("\(header)\n".utf8)) }
      return
    }
    let bytes = try contents()
    var ranges = form.records(bytes[...])
    let whole = ranges.last.map { $0.upperBound + 1 } ?? 0
    if let header = form.header, !ranges.isEmpty {
      let found = String(decoding: bytes[ranges.removeFirst()], as: UTF8.self)
      guard found.isExactly(header) else {
        throw refuse("begins with \"\(found.prefix(80))\", expected \"\(header)\"")
      }
    }
    // A kill in the middle of a record leaves its beginning; anything else is somebody's file.
    let tail = bytes[whole...]
    guard tail.isEmpty || whole > 0 || form.begins(tail) else {
      throw refuse("holds something else than answers of roc-eval score")
    }
    for (number, range) in ranges.enumerated() { try take(bytes[range], number: number + 1) }
    if !tail.isEmpty {
      Console.note("\(path): a record that was not written to its end is cut off")
    }
    for (image, _) in records
    where PictureFile.modified(image.text).map({ $0 > written }) == true {
      retried.insert(image)
    }
    if let header = form.header, bytes.isEmpty { try append(Array("\(header)\n".utf8)) }
    if !tail.isEmpty { try rewrite() }
    keepsOrder = !retried.isEmpty
    if !keepsOrder { records = [] }
  }

  deinit { if descriptor >= 0 { close(descriptor) } }

  /// Takes a record of the file; of two about one picture the later one counts.
  private func take(_ text: ArraySlice<UInt8>, number: Int) throws(CommandError) {
    guard let (image, run, isFailed) = form.read(text) else {
      throw refuse("record \(number) is none of roc-eval score's")
    }
    guard run.isExactly(self.run) else {
      throw refuse(
        "holds answers of another checkpoint, question or precision (run \(run), this is \(self.run))"
      )
    }
    if let place = places[image] {
      records[place].bytes = Array(text)
    } else {
      places[image] = records.count
      records.append((ExactText(image), Array(text)))
    }
    if isFailed { retried.insert(image) } else { retried.remove(ExactText(image)) }
  }

  /// Whether a picture needs no scoring.
  func has(_ image: String) -> Bool { places[image] != nil && !retried.contains(image) }

  /// Writes one answer.
  func add(_ image: String, _ outcome: ScoredPicture) throws(CommandError) {
    let bytes = Array((form.record(image, outcome, run: run) + "\n").utf8)
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
  func finish() throws(CommandError) {
    guard isRegular else { return }
    if keepsOrder { try rewrite() }
    guard fsync(descriptor) == 0 else { throw failure(errno) }
  }

  /// Opens and locks the file.
  ///
  /// - Returns: When it was written last, in seconds since 1970.
  @discardableResult
  private func open() throws(CommandError) -> Double {
    while true {
      let opened = openForAppending(path)
      guard opened >= 0 else { throw failure(errno) }
      var own = stat()
      guard fstat(opened, &own) == 0 else { throw failure(errno) }
      isRegular = own.st_mode & S_IFMT == S_IFREG
      if isRegular, flock(opened, LOCK_EX | LOCK_NB) != 0 {
        close(opened)
        throw CommandError(.busy, "\(path): another roc-eval score is writing it")
      }
      // Somebody may have put another file in its place between opening and locking.
      var named = stat()
      if isRegular, stat(path, &named) != 0 || named.st_ino != own.st_ino {
        close(opened)
        continue
      }
      if descriptor >= 0 { close(descriptor) }
      descriptor = opened
      return PictureFile.modified(own)
    }
  }

  private func contents() throws(CommandError) -> [UInt8] {
    var result: [UInt8] = []
    var block = [UInt8](repeating: 0, count: 1 << 20)
    while true {
      let count = pread(descriptor, &block, block.count, off_t(result.count))
      if count < 0 {
        if errno == EINTR { continue }
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
    for record in records {
      blocks.append(record.bytes.last == 0x0A ? record.bytes : record.bytes + [0x0A])
    }
    try OutputFile.write(blocks: blocks, to: path)
    try open()
  }

  private func refuse(_ reason: String) -> CommandError {
    CommandError(.usage, "\(path): \(reason); name another file, or remove this one")
  }

  private func failure(_ code: Int32) -> CommandError {
    CommandError(.failed, "\(path): cannot be written: \(String(cString: strerror(code)))")
  }
}

private func openForAppending(_ path: String) -> Int32 {
  // What is no file, as a pipe, may not be readable.
  let both = open(path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0o644)
  return both >= 0 ? both : open(path, O_WRONLY | O_APPEND | O_CLOEXEC)
}
