import RocTables

/// Predictions in CSV.
enum PredictionTable {
  /// - Parameters:
  ///   - bytes: The file.
  ///   - name: For messages.
  ///   - needsScore: Refuses a file without a column of scores, which a file of labels may lack.
  /// - Returns: A prediction for each line below the header.
  /// - Throws: `DataError` for a file without the columns.
  static func read(
    _ bytes: UnsafeRawBufferPointer, name: String, needsScore: Bool = true
  ) throws(DataError) -> [Prediction] {
    let csv = try CSVFile(bytes, name: name)
    var header = csv.header.map { $0.trimmingBlanks.lowercased() }
    var rows = csv.rows
    // pandas writes a series under the header `,0`: the index has no name, the values a number.
    if header.count == 2, header[0].isEmpty, header[1] == "0" { header = ["image", "score"] }
    // pyiqa writes names and scores without a header.
    if header.count == 2, Double(decimal: header[1]) != nil {
      header = ["image", "score"]
      rows.insert(TableRow(line: 1, fields: csv.header), at: 0)
    }
    let image = place(PredictionNames.image, header)
    let truth = place(PredictionNames.truth, header)
    var score = place(PredictionNames.score, header)
    // Two columns of which one is the picture: the other one is named after pyiqa's metric.
    if score == nil, header.count == 2, let image, truth == nil { score = 1 - image }
    guard score != nil || (!needsScore && truth != nil && image != nil) else {
      throw DataError(
        """
        \(name):1: the columns are \(csv.header.joined(separator: ",")), expected at least score, \
        and gt_score or image
        """)
    }
    let p = numbered("p", header)
    let t = numbered("t", header)
    var result: [Prediction] = []
    for row in rows {
      var entry = Prediction(place: "\(name):\(row.line)")
      guard row.fields.count == header.count else {
        entry.reason = "\(row.fields.count) fields, expected \(header.count)"
        result.append(entry)
        continue
      }
      func number(_ place: Int) -> Double? { PredictionNumber.read(row.fields[place]) }
      entry.image = image.map { row.fields[$0].trimmingBlanks }
      entry.truth = truth.flatMap(number)
      entry.score = score.flatMap(number)
      if entry.score != nil {
        entry.distribution = try PredictionFile.distribution(
          p.map(number), "p1…p\(p.count)", entry.place)
      }
      if entry.score != nil || !needsScore {
        entry.target = try PredictionFile.distribution(
          t.map(number), "t1…t\(t.count)", entry.place)
      }
      result.append(entry)
    }
    return result
  }

  private static func place(_ names: [String], _ header: [String]) -> Int? {
    for name in names {
      if let place = header.firstIndex(of: name) { return place }
    }
    return nil
  }

  /// The places of `p1`, `p2`, … as far as they go.
  private static func numbered(_ letter: String, _ header: [String]) -> [Int] {
    var places: [Int] = []
    while let place = header.firstIndex(of: "\(letter)\(places.count + 1)") { places.append(place) }
    return places
  }
}

/// Predictions as yunxiaoshi/Neural-IMage-Assessment prints them.
enum PredictionLines {
  /// - Returns: Nil when the first line is of another form.
  static func read(_ bytes: UnsafeRawBufferPointer, name: String) -> [Prediction]? {
    var entries: [Prediction] = []
    var line = 0
    for text in bytes.split(separator: 0x0A, omittingEmptySubsequences: false) {
      line += 1
      let words = String(decoding: text, as: UTF8.self).split {
        $0 == " " || $0 == "\t" || $0 == "\r"
      }.map(String.init)
      if words.isEmpty { continue }
      var entry = Prediction(place: "\(name):\(line)")
      let isWhole =
        words.count == 9 && words[1] == "mean:" && words[3] == "|" && words[4] == "std:"
        && words[6] == "|" && words[7] == "GT:"
      if isWhole {
        entry.image = words[0]
        entry.score = Double(decimal: words[2])
        entry.truth = Double(decimal: words[8])
      } else if entries.isEmpty {
        return nil
      } else {
        entry.reason = "expected <id> mean: m | std: s | GT: g"
      }
      entries.append(entry)
    }
    return entries
  }
}
