import RocFiles
import RocJSON
import RocNames
import RocStore
import RocTables

/// One file of comments in one of three forms.
///
/// * Karpathy's JSON, `{"images": [{"imgid", "split", "sentences": [{"raw", "clean"}]}]}`;
/// * COCO's JSON, `{"annotations": [{"image_id", "caption"}]}`;
/// * the raw text, `<number>#<image id>#<comment>#<comment>…` a line.
struct CaptionFile {
  private enum Form {
    case json
    case text
  }

  /// Pages that were read are given back each time so many bytes were.
  private static let stride = 1 << 24

  private let file: MappedFile
  private let name: String
  private let form: Form

  /// The source of the comments in the database: the file's name without ending.
  private var source: String {
    String(Substring(PathName.base(name).utf8.prefix { $0 != UInt8(ascii: ".") }))
  }

  /// - Returns: Nil when the file is none of the three.
  /// - Throws: `DataError` when it cannot be read.
  init?(_ path: String, name: String) throws(DataError) {
    let file = try MappedFile.ofData(path)
    let form = file.withBytes { bytes -> Form? in
      let start = bytes.prefix(65_536).drop { $0 <= 0x20 || $0 >= 0xBB }
      if start.first == UInt8(ascii: "{") {
        let head = String(decoding: start, as: UTF8.self)
        return ["\"images\"", "\"annotations\""].contains(where: head.contains) ? .json : nil
      }
      let line = start.prefix { $0 != 0x0A }
      let marks = line.filter { $0 == UInt8(ascii: "#") }.count
      return name.lowercased().hasSuffix(".txt") && marks >= 2 ? .text : nil
    }
    guard let form else { return nil }
    self.file = file
    self.name = name
    self.form = form
  }

  /// Hands over the comments of every picture; what cannot be read is set aside.
  func read(into sink: inout CaptionImporter.Sink, _ report: inout ImportReport) throws {
    switch form {
    case .text: try readText(&sink, &report)
    case .json: try readJSON(&sink, &report)
    }
  }

  private func skip(
    _ line: Int, record: Int? = nil, _ error: any Error, _ content: String
  ) throws -> SetAsideLine {
    guard let error = error as? DataError else { throw error }
    return SetAsideLine(
      file: name, line: line, record: record, reason: error.message, content: content)
  }

  private func readText(
    _ sink: inout CaptionImporter.Sink, _ report: inout ImportReport
  ) throws {
    let reader = LineReader(file, name: name)
    var failure: (any Error)?
    var seen = 0
    var read = 0
    reader.eachLine { number, line in
      read += line.count + 1
      if read - seen > Self.stride {
        seen = read
        file.forget(before: read - 4096)
      }
      guard failure == nil, !line.isEmpty else { return }
      report.rows += 1
      let fields = line.split(
        separator: UInt8(ascii: "#"), omittingEmptySubsequences: false
      ).map { String(decoding: $0, as: UTF8.self).trimmingBlanks }
      do {
        do {
          guard fields.count >= 2, let id = Int(fields[1]), id > 0 else {
            throw DataError(
              "the image id is \"\(fields.count > 1 ? fields[1] : "")\", expected a number")
          }
          let comments = fields.dropFirst(2).filter { !$0.isEmpty }
          try sink.set(try sink.row(id), source: source, comments.map { ($0, nil) })
        } catch {
          report.skipped.append(try skip(number, error, String(decoding: line, as: UTF8.self)))
        }
      } catch {
        failure = error
      }
    }
    if let failure { throw failure }
  }

  private func readJSON(
    _ sink: inout CaptionImporter.Sink, _ report: inout ImportReport
  ) throws {
    try file.withBytes { bytes in
      var walk = JSONWalk(bytes, readsNonFinite: true)
      var forgotten = 0
      var positions: [Int: Int] = [:]
      do {
        try walk.openObject()
        while let member = try walk.nextName() {
          guard ["images", "annotations"].contains(member), walk.peek() == UInt8(ascii: "[") else {
            _ = try walk.value()
            continue
          }
          try walk.openArray()
          var number = 0
          while try walk.nextElement() {
            let line = walk.line
            number += 1
            let record: JSON
            do throws(JSONError) {
              record = try walk.value()
            } catch {
              guard walk.skipElement() else { throw error }
              report.skipped.append(
                SetAsideLine(
                  file: name, line: error.line, record: number,
                  reason: "not JSON: \(error.reason)", content: ""))
              continue
            }
            if walk.position - forgotten > Self.stride {
              forgotten = walk.position
              file.forget(before: forgotten)
            }
            do {
              if member == "images" {
                try takeImage(record, &sink, &report)
              } else {
                report.rows += 1
                try takeAnnotation(record, &sink, &positions)
              }
            } catch {
              report.skipped.append(try skip(line, record: number, error, record.line))
            }
          }
        }
      } catch let error as JSONError {
        report.skipped.append(
          SetAsideLine(
            file: name, line: error.line,
            reason: "not JSON: \(error.reason); the rest of the file was not read", content: ""))
      }
    }
  }

  /// A picture with its sentences; COCO's images have none and say nothing by themselves.
  private func takeImage(
    _ record: JSON, _ sink: inout CaptionImporter.Sink, _ report: inout ImportReport
  ) throws {
    guard let value = record["sentences"] else { return }
    report.rows += 1
    guard let sentences = value.array else {
      throw DataError("sentences is \(value.kind), expected a list")
    }
    // Karpathy's own files count pictures in imgid, and name them in filename.
    let id = try sink.joined(Self.ids(record, ["filename", "imgid", "cocoid", "id"]))
    var comments: [(text: String, clean: String?)] = []
    for sentence in sentences {
      guard let text = (sentence["raw"] ?? sentence["clean"])?.string else {
        throw DataError("a sentence of picture \(id) has no raw text")
      }
      comments.append((text, sentence["clean"]?.string))
    }
    let row = try sink.row(id)
    try sink.set(row, source: source, comments)
    // Karpathy's files call what is left over for training restval.
    guard let split = record["split"]?.string else { return }
    let names = ["train": "train", "restval": "train", "val": "val", "test": "test"]
    guard let part = names[split] else {
      throw DataError("split of picture \(id) is \"\(split)\", expected train, val or test")
    }
    sink.publish(row, part: part)
  }

  private func takeAnnotation(
    _ record: JSON, _ sink: inout CaptionImporter.Sink, _ positions: inout [Int: Int]
  ) throws {
    let id = try sink.joined(Self.ids(record, ["image_id"]))
    guard let text = record["caption"]?.string else {
      throw DataError("an annotation of picture \(id) has no caption")
    }
    let row = try sink.row(id)
    if positions[id] == nil { sink.publish(row, part: "val") }
    let position = positions[id, default: 0]
    positions[id] = position + 1
    try sink.add(row, source: source, position: position, text)
  }

  /// The ids that a record may mean, as numbers, their digits, or `<digits>.jpg`.
  private static func ids(_ record: JSON, _ names: [String]) throws(DataError) -> [Int] {
    let found = names.compactMap { name -> Int? in
      guard let value = record[name] else { return nil }
      let digits = value.string.map { PathName.stem(PathName.base($0)) }
      return (value.int ?? digits.flatMap { Int($0) }).flatMap { $0 > 0 ? $0 : nil }
    }
    guard !found.isEmpty else {
      throw DataError("no \(names.joined(separator: ", ")) that is a picture's number")
    }
    return found
  }
}
