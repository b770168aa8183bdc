import RocDigest
package import RocImage
package import RocStore

/// What full decoding of one picture found.
package struct PictureFacts: Sendable {
  /// What is odd about a picture that can be read, or why it cannot.
  package enum Flag: String, Sendable, CaseIterable {
    case animated
    /// 16-bit grey, whose values above 255 are white to Pillow and to this program.
    case grey16
    case tiny
    case truncated
    /// The name's ending is that of another format.
    case wrongExtension = "wrong_extension"
  }

  /// A picture with a shorter side below this says little about aesthetics.
  package static let tinySide = 32

  package var state: ImageState
  package var reason: String?
  package var width: Int?
  package var height: Int?
  package var format: PictureFormat?
  package var sha256: String?
  package var hash: PerceptualHash?
  package var flags: [Flag] = []

  /// A picture that is not there.
  package static func absent(_ state: ImageState, _ reason: String) -> PictureFacts {
    PictureFacts(state: state, reason: reason)
  }

  /// Decodes a file.
  ///
  /// - Parameters:
  ///   - bytes: The whole file.
  ///   - name: Its name; only the ending counts.
  /// - Returns: What was found; a file that is no picture is unreadable.
  /// - Throws: `PictureError` of the machine, which says nothing about the picture.
  package static func of(
    _ bytes: UnsafeRawBufferPointer, name: String
  ) throws(PictureError) -> PictureFacts {
    var facts = PictureFacts(state: .readable)
    facts.sha256 = SHA256.of(bytes)
    facts.format = PictureFormat(bytes)
    if facts.format?.contradicts(name) ?? false { facts.flags.append(.wrongExtension) }
    if PictureFormat.isGrey16(bytes) { facts.flags.append(.grey16) }
    if PictureFormat.isAnimated(bytes) { facts.flags.append(.animated) }
    do throws(PictureError) {
      let picture = try Picture.decode(bytes, path: name)
      facts.width = picture.width
      facts.height = picture.height
      facts.hash = PerceptualHash(picture)
      if min(picture.width, picture.height) < tinySide { facts.flags.append(.tiny) }
    } catch {
      guard error.code != .machine else { throw error }
      facts.state = .unreadable
      facts.reason = error.reason
      if error.code == .truncated { facts.flags.append(.truncated) }
    }
    return facts
  }

  /// The flags as the database keeps them.
  var flagText: String { flags.map(\.rawValue).sorted().joined(separator: ",") }
}
