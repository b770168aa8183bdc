import GRDB
import RocData
import RocStore
import RocTables
import RocTestSupport
import Testing

/// The files of a dataset in one source, or one at a time in any order: the same database.
struct SourceOrderTests {
  /// Made-up files in the layouts of datasets that have several.
  static let sources: [String: [String: String]] = {
    let paraHeader =
      "imageName,sessionId,semantic,"
      + stride(from: 1.0, through: 5, by: 0.5).map { "aestheticScore_\($0)" }.joined(separator: ",")
      + ",aestheticScore_mean,aestheticScore_std,colorScore_mean"
    let pictures = (0..<130).map { "p\($0).jpg" }
    return [
      "tad66k": [
        "merge/train.csv": "image,score\na.jpg,1\nb.jpg,2\nc.jpg,3\n",
        "merge/test.csv": "image,score\nd.jpg,4\n",
        "unmerge/train/sea.csv": "image,score\na.jpg,1\nd.jpg,4\n",
        "unmerge/train/sky.csv": "image,score\nb.jpg,2\n",
        "unmerge/test/sea.csv": "image,score\nc.jpg,3\n",
      ],
      "aadb": [
        "imgListFiles_label/imgListTrainRegression_score.txt": "a_b.jpg 0.3\nb_b.jpg 1.0\n",
        "imgListFiles_label/imgListTrainRegression_DoF.txt": "b_b.jpg -0.8\na_b.jpg 0.2",
        "imgListFiles_label/imgListTestNewRegression_score.txt": "c_b.jpg 0.5\n",
        "imgListFiles_label/imgListTestNewRegression_Light.txt": "c_b.jpg 0.25\n",
        "imgListFiles_label/imgListValidationRegression_score.txt": "c_b.jpg 0.5\nd_b.jpg 0.25\n",
      ],
      "icaa17k": [
        "1train.csv": "ID,color,MOS,probability\nm/red/x.jpg,3.5,2.5,0.5\n",
        "1test.csv": "ID,color,MOS,probability\nm/white/x.jpg,6.5,4.5,0.75\n",
      ],
      "para": [
        "annotation/PARA-GiaaTrain.csv":
          "\(paraHeader)\ni1.jpg,s1,animal,0,1,0,0,2,0,0,1,0,3.0,1.1,2.5\n"
          + "i2.jpg,s1,portrait,0,0,0,0,0,0,0,0,4,5,0,\n",
        "annotation/PARA-GiaaTest.csv":
          "\(paraHeader)\ni3.jpg,s2,food,1,0,0,0,0,0,0,0,1,3.0,2,4.5\n",
        "annotation/PARA-Images.csv":
          "sessionId,imageName,userId,aestheticScore\ns1,i1.jpg,A1,1.5\ns1,i1.jpg,B2,3\ns2,i3.jpg,B2,2\n",
        "annotation/PARA-UserInfo.csv": "userId,age\nA1,18-21\nB2,22-25\nC3,30\n",
        "userset/TrainUserIDs_Fold1.txt": "A1\n",
        "userset/TestUserIDs_Fold1.txt": "B2\n",
        "validation_images.txt": "i2.jpg\n",
      ],
      "eva": [
        "data/votes_filtered.csv":
          "image_id=user_id=score=difficulty=visual=composition=quality=semantic\n"
          + "71=E1=6=1=2=3=4=1\n71=E2=8=3=4=3=4=1\n106=E1=0=1=2=3=4=1\n",
        "data/users.csv": "id=age\nE1=1992.0\nE2=1967.0\n",
        "data/image_content_category.csv": "image_id,sort,note\n71,5,x\n106,1,y\n",
      ],
      "flickr-aes": [
        "FLICKR-AES_image_score.txt": pictures.map { "\($0) 0.25\n" }.joined(),
        "FLICKR-AES_image_labeled_by_each_worker.csv":
          "worker,imagePair,score\n" + pictures.dropLast(10).map { "w1,\($0),4\n" }.joined()
          + pictures.prefix(7).map { "w2,\($0),5\n" }.joined(),
      ],
      "qalign": [
        "train.json": #"[{"image": "a.jpg", "gt_score": 3}, {"image": "b.jpg", "gt_score": 4}]"#,
        "test.json": #"[{"image": "c.jpg", "gt_score": 2}]"#,
      ],
      "table": [
        "scores.csv": "image,score\n"
          + (0..<40).map { "i\($0).png,\(1 + $0 % 4)\n" }.joined() + "e.jpg,2\na.jpg,1\n",
        "groups.csv": "image,score,ref_name\n"
          + (0..<40).map { "i\($0).png,\(1 + $0 % 4),r\($0 / 8).png\n" }.joined(),
        "train.csv": "image,score,ref\na.jpg,1,r1\nb.jpg,2,r2\ne.jpg,NA,r5\n",
        "val.csv": "image,score,ref\nc.jpg,1.5,r3\n",
        "test.csv": "image,score,ref,note\nd.jpg,4,r4,x\n",
      ],
    ]
  }()

  /// Everything that is stored, without the numbers of rows.
  private func content(_ store: Store) throws -> [String] {
    let queries = [
      """
      SELECT name, title, low, high, direction, threshold, bins, default_scheme, variant
      FROM datasets
      """,
      """
      SELECT key, gt_score, extra, counts, total FROM samples
      LEFT JOIN votes ON votes.sample = samples.id
      """,
      "SELECT key, name, value FROM attributes JOIN samples ON samples.id = sample",
      "SELECT key, name, counts FROM attribute_votes JOIN samples ON samples.id = sample",
      """
      SELECT name, part, key FROM split_members JOIN split_schemes ON split_schemes.id = scheme
      JOIN samples ON samples.id = sample
      """,
      """
      SELECT key, name, position, score, ratings.extra FROM ratings
      JOIN samples ON samples.id = sample JOIN raters ON raters.id = rater
      """,
      "SELECT name, extra FROM raters", "SELECT scheme, part, rater FROM rater_members",
      "SELECT file, line, reason FROM quarantine",
    ]
    return try store.read { db in
      try queries.flatMap { try Row.fetchAll(db, sql: $0).map { "\($0)" }.sorted() }
    }
  }

  private func stores(
    _ dataset: String, _ paths: [String], in folder: TemporaryFolder, to name: String
  ) throws -> Store {
    let store = try Store(path: "\(folder.path)/\(name).sqlite", creates: true)
    let manifest = try Manifest.bundled(dataset)
    func take(_ path: String) throws {
      _ = try TableImporter(manifest, source: path).run(into: store, images: nil, replace: false)
    }
    // What belongs to labels is refused before them, and comes again.
    var waiting: [String] = []
    for path in paths {
      do {
        try take(path)
      } catch let error as DataError {
        #expect(error.isMissing, "\(path): \(error.message)")
        waiting.append(path)
      }
    }
    for path in waiting { try take(path) }
    return store
  }

  @Test(arguments: sources.keys.sorted()) func makesNoDifference(_ dataset: String) throws {
    let folder = try TemporaryFolder()
    let files = Self.sources[dataset] ?? [:]
    for (name, text) in files { try folder.write(text, to: "all/\(name)") }
    let whole = try content(stores(dataset, ["\(folder.path)/all"], in: folder, to: "whole"))
    #expect(whole.count > files.count)
    let names = files.keys.sorted()
    let orders = [
      names, names.reversed(),
      Array(names.dropFirst(names.count / 2) + names.prefix(names.count / 2)),
      names.indices.map { names[($0 * 7 + 1) % names.count] }.filter { _ in names.count % 7 != 0 },
    ]
    for (number, order) in orders.enumerated() where !order.isEmpty {
      let paths = order.map { "\(folder.path)/all/\($0)" }
      let pieces = try content(stores(dataset, paths, in: folder, to: "\(number)"))
      #expect(pieces == whole, "\(order)")
      // Once more changes nothing.
      let again = try content(stores(dataset, paths + paths, in: folder, to: "\(number)"))
      #expect(again == whole, "\(order) twice")
    }
  }
}
