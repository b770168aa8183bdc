package import RocCheckpoint
package import RocJSON
package import RocTensor

extension ModelLoader {
  /// config.json as it must be beside weights that are written anew: every key that would contradict
  /// them is changed, all others stay.
  ///
  /// - Parameters:
  ///   - dtype: The format of the weights; nil leaves what config.json says about it.
  ///   - isWhole: All weights are written into one folder, also those that lie elsewhere.
  ///   - unties: The head is written beside the embeddings and differs from them.
  ///   - changes: Further keys.
  /// - Returns: The object's members.
  /// - Throws: `CheckpointError` when config.json cannot be read.
  package func configuration(
    dtype: DType?, isWhole: Bool = true, unties: Bool = false,
    changes: [(name: String, value: JSON)] = []
  ) throws(CheckpointError) -> [JSON.Member] {
    var members = try checkpoint.json("config.json").members ?? []
    func set(_ name: String, _ value: JSON) {
      if let place = members.firstIndex(where: { $0.name == name }) {
        members[place] = JSON.Member(name, value)
      } else {
        members.append(JSON.Member(name, value))
      }
    }
    if let dtype {
      members = members.map { JSON.Member($0.name, Self.saying(dtype, $0)) }
      if !members.contains(where: { Self.dtypeKeys.contains($0.name) }) {
        set("torch_dtype", .string(dtype.torchName))
      }
    }
    if isWhole { for (name, value) in backbone.changesOfWholeFolder { set(name, value) } }
    members = Self.withVocabulary(
      changes.first { $0.name == "vocab_size" }?.value.int ?? sizes.vocabulary, members)
    if unties {
      let key = "tie_word_embeddings"
      if let inner = members.first(where: { $0.name == "text_config" })?.value.members {
        set(
          "text_config",
          .object(inner.map { $0.name == key ? JSON.Member(key, .bool(false)) : $0 }))
      }
      set(key, .bool(false))
    }
    for (name, value) in changes where name != "vocab_size" { set(name, value) }
    return members
  }

  /// The size of the tables wherever it stands: at the top, with the decoder's keys, or in both.
  private static func withVocabulary(_ size: Int, _ members: [JSON.Member]) -> [JSON.Member] {
    let key = "vocab_size"
    func changed(_ members: [JSON.Member]) -> [JSON.Member] {
      members.map { $0.name == key ? JSON.Member(key, .int(size)) : $0 }
    }
    let inner = members.first { $0.name == "text_config" }?.value.members
    var result = changed(members)
    if var inner, let place = result.firstIndex(where: { $0.name == "text_config" }) {
      if !inner.contains(where: { $0.name == key }),
        !members.contains(where: { $0.name == key })
      {
        inner.append(JSON.Member(key, .int(size)))
      }
      result[place] = JSON.Member("text_config", .object(changed(inner)))
    } else if inner == nil, !members.contains(where: { $0.name == key }) {
      result.append(JSON.Member(key, .int(size)))
    }
    return result
  }

  /// transformers 4 says `torch_dtype`, transformers 5 `dtype`; parts may say it, too.
  private static let dtypeKeys = ["torch_dtype", "dtype"]

  private static func saying(_ dtype: DType, _ member: JSON.Member) -> JSON {
    if dtypeKeys.contains(member.name), member.value.string != nil {
      return .string(dtype.torchName)
    }
    guard let inner = member.value.members else { return member.value }
    return .object(inner.map { JSON.Member($0.name, saying(dtype, $0)) })
  }
}
