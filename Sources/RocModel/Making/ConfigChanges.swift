package import RocCheckpoint
package import RocJSON
package import RocTensor

extension ModelLoader {
  /// config.json as it must be beside weights that are written anew: every key that would contradict
  /// them is changed, all others stay.
  ///
  /// - Parameters:
  ///   - dtype: The format of the weights; nil leaves what is said of it.
  ///   - unties: The head is written beside the embeddings and differs from them.
  ///   - changes: Further keys.
  /// - Returns: The object's members.
  /// - Throws: `CheckpointError` when config.json cannot be read.
  package func configuration(
    dtype: DType?, unties: Bool = false, changes: [(name: String, value: JSON)] = []
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
    if sizes.vocabulary != members.first(where: { $0.name == "vocab_size" })?.value.int {
      set("vocab_size", .int(sizes.vocabulary))
    }
    if unties { set("tie_word_embeddings", .bool(false)) }
    for (name, value) in changes { set(name, value) }
    return members
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
