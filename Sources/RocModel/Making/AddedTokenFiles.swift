import RocCheckpoint
import RocFiles
import RocJSON

/// The files of a tokenizer with tokens that are added at its end.
enum AddedTokenFiles {
  /// Every file of the folder that lists added tokens, and added_tokens.json where none does.
  ///
  /// The tokens are neither special, so that decoded text keeps them, nor normalised: LLaMA's
  /// tokenizer.json would find a normalised one only after a blank.
  ///
  /// - Parameters:
  ///   - checkpoint: Has the tokenizer.
  ///   - added: The tokens in the order of their ids.
  ///   - first: The id of the first one.
  /// - Returns: Contents by file name.
  /// - Throws: `CheckpointError` for a file that cannot be read.
  static func texts(
    _ checkpoint: Checkpoint, _ added: [String], first: Int
  ) throws(CheckpointError) -> [String: [UInt8]] {
    var texts: [String: [UInt8]] = [:]
    let tokens = added.enumerated().map { (id: first + $0, text: $1) }
    func json(_ name: String) throws(CheckpointError) -> JSON? {
      let path = checkpoint.path(of: name)
      return fileExists(path) ? try readJSON(path) : nil
    }
    let fast = try json("tokenizer.json")
    if let fast {
      texts["tokenizer.json"] = TokenizerFiles.bytes(
        replacing("added_tokens", in: fast) { old in
          .array(
            (old?.array ?? [])
              + tokens.map { id, text in
                .object([.init("id", .int(id))] + (TokenizerFiles.decoded(text).members ?? []))
              })
        })
    }
    if let settings = try json("tokenizer_config.json"), settings["added_tokens_decoder"] != nil {
      texts["tokenizer_config.json"] = TokenizerFiles.bytes(
        replacing("added_tokens_decoder", in: settings) { old in
          .object(
            (old?.members ?? [])
              + tokens.map { JSON.Member(String($0.id), TokenizerFiles.decoded($0.text)) })
        })
    }
    let old = try json("added_tokens.json")
    if old != nil || fast == nil {
      texts["added_tokens.json"] = TokenizerFiles.bytes(
        .object((old?.members ?? []) + tokens.map { JSON.Member($0.text, .int($0.id)) }))
    }
    return texts
  }

  /// An object with one member replaced, or added where it is absent.
  private static func replacing(
    _ name: String, in json: JSON, _ value: (JSON?) -> JSON
  ) -> JSON {
    var members = json.members ?? []
    let new = JSON.Member(name, value(json[name]))
    if let place = members.firstIndex(where: { $0.name == name }) {
      members[place] = new
    } else {
      members.append(new)
    }
    return .object(members)
  }
}
