import RocCheckpoint
package import RocFiles

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// A file of scalars that TensorBoard shows while the training goes on.
///
/// TensorBoard reads all event files of a folder as one run, in the order of their names, which
/// begin with the second in which they were made. So a resumed training run opens another file in
/// the same folder, and none is ever written over. Of the steps that it repeats, the later values
/// count: each file says at which step it starts, and TensorBoard's Python readers then drop
/// everything from this step on; its data server, the default, drops a tag's values from a step on
/// as soon as the tag comes with that step again.
///
/// Not safe for use from several threads at once.
package final class EventFile {
  /// `events.out.tfevents.<seconds>.<host>.<process>` in the folder.
  package let path: String
  private let wallTime: () -> Double
  /// Nil after `close`.
  private var file: OpenFile?
  /// The end of a record whose beginning is in the file, after a write that failed midway.
  private var rest: [UInt8] = []

  /// - Parameters:
  ///   - folder: The run's folder; made when it does not exist, inside one that does.
  ///   - step: The first step that will be added, where a resumed training run starts; what earlier
  ///     files have from there on is forgotten, with 0 everything.
  ///   - wallTime: Seconds since 1970, asked once for the file and once for each record.
  /// - Throws: `FileError` naming the folder or file and the system's reason.
  package init(
    folder: String, startingAt step: Int = 0,
    wallTime: @escaping () -> Double = EventFile.systemTime
  ) throws(FileError) {
    guard mkdir(folder, 0o777) == 0 || errno == EEXIST else {
      throw FileError(path: folder, errno: errno)
    }
    let now = wallTime()
    self.wallTime = wallTime
    path = "\(folder)/\(Self.name(after: folderEntries(folder), at: now))"
    file = try OpenFile(path, .newAppending)
    // The first file of a run needs its start as well: readers take the first that they see for the
    // beginning, and only those after it for restarts.
    try append(
      EventRecord.version(wallTime: now) + EventRecord.start(wallTime: now, step: step))
  }

  /// Writes the values of a step, in one piece: a process that is killed loses at most this record.
  ///
  /// - Parameters:
  ///   - step: Not below earlier ones.
  ///   - scalars: A tag such as `loss/total` with its value; TensorBoard groups tags by what stands
  ///     before the slash, and marks values that are not finite.
  /// - Throws: `FileError` naming the file and the system's reason, for instance a full disk. The
  ///   file stays readable, and later steps can be added when there is room again.
  package func add(step: Int, scalars: [(tag: String, value: Float)]) throws(FileError) {
    guard !scalars.isEmpty else { return }
    try append(EventRecord.scalars(wallTime: wallTime(), step: step, scalars))
  }

  /// Waits until the disk has everything, so that it outlives the machine too.
  ///
  /// - Throws: `FileError` naming the file and the system's reason.
  package func flush() throws(FileError) {
    try append([])
    try file?.synchronise()
  }

  /// Flushes and ends the file; nothing can be added afterwards.
  ///
  /// - Throws: `FileError` naming the file and the system's reason; the file is closed all the same.
  package func close() throws(FileError) {
    guard let open = file else { return }
    defer { file = nil }
    try flush()
    try open.close()
  }

  /// Seconds since 1970 by the system's clock.
  package static func systemTime() -> Double {
    var time = timespec()
    clock_gettime(CLOCK_REALTIME, &time)
    return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
  }

  private func append(_ record: [UInt8]) throws(FileError) {
    guard let file else { preconditionFailure("\(path) is closed") }
    let bytes = rest + record
    var done = 0
    while done < bytes.count {
      do throws(FileError) {
        done += try file.writeSome(bytes[done...])
      } catch {
        // Readers stop for good at a record that breaks off in the middle of a file. One that was
        // begun is therefore completed by the next write; one that was not is lost.
        rest = done > rest.count ? Array(bytes[done...]) : Array(rest[done...])
        throw error
      }
    }
    rest = []
  }

  /// A name that sorts after those of the event files that are there, even where this machine's
  /// clock is behind or two training runs begin within a second.
  private static func name(after entries: [String], at time: Double) -> String {
    let prefix = "events.out.tfevents."
    let latest = entries.filter { $0.hasPrefix(prefix) }
      .compactMap { Int($0.dropFirst(prefix.count).prefix { $0 != "." }) }
      .filter { $0 < 9_999_999_999 }.max()
    let seconds = String(max(Int(time), (latest ?? 0) + 1))
    let digits = String(repeating: "0", count: max(0, 10 - seconds.count)) + seconds
    return "\(prefix)\(digits).\(host).\(getpid())"
  }

  private static var host: String {
    var name = [CChar](repeating: 0, count: 256)
    // The last byte stays zero, whatever the system does with a name that is too long.
    guard gethostname(&name, name.count - 1) == 0, name[0] != 0 else { return "localhost" }
    return String(decoding: name.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }
}
