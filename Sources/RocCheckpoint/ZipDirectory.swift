import RocFiles

/// The entries of a zip archive whose contents lie in it as they are, as `torch.save` writes them.
///
/// Format: https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT, with its 64-bit extension.
struct ZipDirectory {
  /// What lies where.
  struct Entry {
    let range: Range<Int>
    let crc: UInt32
  }

  /// By their names.
  let entries: [String: Entry]

  /// - Throws: `CheckpointError` for an archive that is cut, compressed, or contradicts itself.
  init(_ file: MappedFile) throws(CheckpointError) {
    func refuse(_ reason: String) -> CheckpointError {
      CheckpointError("\(file.path): \(reason)")
    }
    entries = try file.withBytes { bytes throws(CheckpointError) in
      let reader = Reader(bytes: bytes, path: file.path)
      let (start, size, count) = try reader.directory()
      var entries: [String: Entry] = [:]
      var position = start
      for _ in 0..<count {
        guard position + 46 <= start + size, reader.u32(position) == 0x0201_4b50 else {
          throw refuse("the directory of the archive is damaged at byte \(position)")
        }
        let name = reader.u16(position + 28)
        let extra = reader.u16(position + 30)
        let next = position + 46 + name + extra + reader.u16(position + 32)
        guard next <= start + size else {
          throw refuse("the directory of the archive is cut short")
        }
        let text = String(decoding: bytes[position + 46..<position + 46 + name], as: UTF8.self)
        let range = try reader.contents(
          of: text, entry: position, extra: position + 46 + name..<position + 46 + name + extra)
        let entry = Entry(range: range, crc: UInt32(reader.u32(position + 16)))
        guard entries.updateValue(entry, forKey: text) == nil else {
          throw refuse("entry \(text) is listed twice")
        }
        position = next
      }
      return entries
    }
  }

  private struct Reader {
    let bytes: UnsafeRawBufferPointer
    let path: String

    func refuse(_ reason: String) -> CheckpointError { CheckpointError("\(path): \(reason)") }

    func u16(_ at: Int) -> Int {
      Int(UInt16(littleEndian: bytes.loadUnaligned(fromByteOffset: at, as: UInt16.self)))
    }
    func u32(_ at: Int) -> Int {
      Int(UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: at, as: UInt32.self)))
    }
    /// A 64-bit number; one that no file can have becomes the largest.
    func u64(_ at: Int) -> Int {
      Int(
        clamping: UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: at, as: UInt64.self)))
    }

    /// Start, bytes and entries of the directory, as the end of the file states them.
    func directory() throws(CheckpointError) -> (start: Int, size: Int, count: Int) {
      let cut = refuse("the archive has no end; it is cut short, download it again")
      guard bytes.count >= 22 else { throw cut }
      // A comment of up to 65,535 bytes may follow the record.
      var at = bytes.count - 22
      let first = max(at - 65_535, 0)
      while u32(at) != 0x0605_4b50 || at + 22 + u16(at + 20) != bytes.count {
        guard at > first else { throw cut }
        at -= 1
      }
      var (count, size, start) = (u16(at + 10), u32(at + 12), u32(at + 16))
      if count == 0xffff || size == 0xffff_ffff || start == 0xffff_ffff {
        guard at >= 20, u32(at - 20) == 0x0706_4b50 else { throw cut }
        let record = u64(at - 12)
        guard record <= at - 20 - 56, u32(record) == 0x0606_4b50 else { throw cut }
        (count, size, start) = (u64(record + 32), u64(record + 40), u64(record + 48))
      }
      guard start <= at, size <= at - start, count <= size / 46 else {
        throw refuse("the directory of the archive lies outside the file")
      }
      return (start, size, count)
    }

    /// Where an entry's contents lie.
    func contents(
      of name: String, entry: Int, extra: Range<Int>
    ) throws(CheckpointError) -> Range<Int> {
      let method = u16(entry + 10)
      var (packed, size, header) = (u32(entry + 20), u32(entry + 24), u32(entry + 42))
      if packed == 0xffff_ffff || size == 0xffff_ffff || header == 0xffff_ffff {
        (packed, size, header) = try wide(packed, size, header, extra: extra)
      }
      guard method == 0, packed == size else {
        throw refuse("entry \(name) is compressed, expected stored contents as torch.save writes")
      }
      guard header <= bytes.count - 30, u32(header) == 0x0403_4b50 else {
        throw refuse("entry \(name) has no header at byte \(header)")
      }
      let start = header + 30 + u16(header + 26) + u16(header + 28)
      guard start <= bytes.count, size <= bytes.count - start else {
        throw refuse("entry \(name) of \(size) bytes reaches beyond the file; it is cut short")
      }
      return start..<start + size
    }

    /// The 64-bit numbers of extra field 1, which holds those of size, packed size and header that
    /// did not fit, in this order.
    private func wide(
      _ packed: Int, _ size: Int, _ header: Int, extra: Range<Int>
    ) throws(CheckpointError) -> (Int, Int, Int) {
      var at = extra.lowerBound
      while at + 4 <= extra.upperBound {
        let end = at + 4 + u16(at + 2)
        guard end <= extra.upperBound else { break }
        guard u16(at) == 1 else {
          at = end
          continue
        }
        at += 4
        var values: [Int] = []
        for value in [size, packed, header] {
          guard value == 0xffff_ffff else {
            values.append(value)
            continue
          }
          guard at + 8 <= end else { break }
          values.append(u64(at))
          at += 8
        }
        if values.count == 3 { return (values[1], values[0], values[2]) }
        break
      }
      throw refuse("an entry of the archive lacks its 64-bit sizes")
    }
  }
}
