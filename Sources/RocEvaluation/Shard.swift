import RocDigest
package import RocNames

/// One of n workers' share of the pictures: those whose key hashes to it, wherever they stand in
/// the list and whatever else is in the split.
package struct Shard: Sendable, Equatable, CustomStringConvertible {
  /// From 1.
  package let index: Int
  package let count: Int

  package init?(index: Int, count: Int) {
    guard count >= 1, count <= 100_000, (1...count).contains(index) else { return nil }
    self.index = index
    self.count = count
  }

  /// Reads `i/n`, i from 1.
  package init?(_ text: String) {
    let parts = text.split(separator: "/", omittingEmptySubsequences: false).map { Int($0) }
    guard parts.count == 2, let index = parts[0], let count = parts[1] else { return nil }
    self.init(index: index, count: count)
  }

  package var description: String { "\(index)/\(count)" }

  package func contains(_ key: ImageKey) -> Bool {
    let digest = UInt64(SHA256.of(key.text).prefix(16), radix: 16) ?? 0
    return Int(digest % UInt64(count)) == index - 1
  }

  /// The share that the environment gives this process: `ROC_SHARD` (`i/n`), a Slurm array, or the
  /// rank of a Slurm step or an MPI process.
  ///
  /// - Parameter environment: The variables.
  /// - Returns: The share with the variables that say so; nil where none does.
  /// - Throws: `SegmentError` when variables are there that give no share: a worker that then
  ///   scored everything would do its neighbours' work.
  package static func detect(
    _ environment: [String: String]
  ) throws(SegmentError) -> (shard: Shard, from: String)? {
    if let text = environment["ROC_SHARD"], !text.isEmpty {
      guard let shard = Shard(text) else {
        throw SegmentError("ROC_SHARD is \(text), expected i/n with i from 1 to n")
      }
      return (shard, "ROC_SHARD")
    }
    func number(_ name: String) -> Int? { environment[name].flatMap { Int($0) } }
    if let task = environment["SLURM_ARRAY_TASK_ID"] {
      let own = number("SLURM_ARRAY_TASK_ID")
      let step = max(number("SLURM_ARRAY_TASK_STEP") ?? 1, 1)
      guard let own, let first = number("SLURM_ARRAY_TASK_MIN"),
        let count = number("SLURM_ARRAY_TASK_COUNT"), own >= first, (own - first) % step == 0,
        let shard = Shard(index: (own - first) / step + 1, count: count)
      else {
        throw SegmentError(
          """
          SLURM_ARRAY_TASK_ID is \(task), of \(environment["SLURM_ARRAY_TASK_COUNT"] ?? "?") tasks from \
          \(environment["SLURM_ARRAY_TASK_MIN"] ?? "?"), which gives no share; say it with --shard i/n \
          or ROC_SHARD=i/n
          """)
      }
      return (shard, "SLURM_ARRAY_TASK_ID")
    }
    // Ranks count from 0; a single process is no share.
    for (rank, size) in [
      ("OMPI_COMM_WORLD_RANK", "OMPI_COMM_WORLD_SIZE"), ("PMIX_RANK", "PMIX_SIZE"),
      ("PMI_RANK", "PMI_SIZE"), ("MV2_COMM_WORLD_RANK", "MV2_COMM_WORLD_SIZE"),
      ("SLURM_PROCID", "SLURM_NTASKS"),
    ] {
      if let own = number(rank), let all = number(size), all > 1,
        let shard = Shard(index: own + 1, count: all)
      {
        return (shard, rank)
      }
    }
    return nil
  }
}
