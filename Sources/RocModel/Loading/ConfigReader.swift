import RocCheckpoint
package import RocJSON

/// Reads fields of a configuration file and says which one is missing or odd.
package struct ConfigReader {
  package let json: JSON
  /// File and place for messages, as in `config.json: visual_config`.
  package let place: String

  package init(json: JSON, place: String) {
    self.json = json
    self.place = place
  }

  private func refuse(_ name: String, _ expected: String) -> ModelError {
    let found = json[name].map { "is \($0.line.prefix(60))" } ?? "is missing"
    return .checkpoint("\(place): \(name) \(found), expected \(expected)")
  }

  /// A size: a whole number from 1 to `most`.
  ///
  /// The usual bound keeps products of three sizes below 64 bits, whatever a file claims.
  package func size(
    _ name: String, most: Int = 1 << 17, default preset: Int? = nil
  ) throws(ModelError) -> Int {
    if json[name] == nil || json[name]?.isNull == true, let preset { return preset }
    guard let value = json[name]?.int, value >= 1, value <= most else {
      throw refuse(name, "a whole number from 1 to \(most)")
    }
    return value
  }

  /// A whole number of either sign.
  package func integer(_ name: String, default preset: Int) throws(ModelError) -> Int {
    if json[name] == nil || json[name]?.isNull == true { return preset }
    guard let value = json[name]?.int, value.magnitude <= 1 << 20 else {
      throw refuse(name, "a whole number")
    }
    return value
  }

  package func number(_ name: String, default preset: Double? = nil) throws(ModelError) -> Double {
    if json[name] == nil || json[name]?.isNull == true, let preset { return preset }
    guard let value = json[name]?.double else { throw refuse(name, "a number") }
    return value
  }

  /// A small positive number, such as the epsilon of a norm.
  ///
  /// It must also be above 0 and finite as the float32 that is computed with.
  ///
  /// - Parameters:
  ///   - name: The key.
  ///   - preset: Stands for a key that is not there.
  ///   - range: What any model could have; a value beyond it is a mistake that would go unseen.
  /// - Returns: The number.
  /// - Throws: `ModelError.checkpoint` that names the key, what was found and what was expected.
  package func positive(
    _ name: String, default preset: Double, within range: ClosedRange<Double>? = nil
  ) throws(ModelError) -> Double {
    let value = try number(name, default: preset)
    guard Float(value) > 0, Float(value).isFinite else {
      throw refuse(name, "a number above 0 that fits float32")
    }
    guard range?.contains(value) != false else {
      throw refuse(name, "a number from \(range?.lowerBound ?? 0) to \(range?.upperBound ?? 0)")
    }
    return value
  }

  /// Of epsilons of norms.
  package static let epsilons = 1e-15...0.1
  /// Of the base of rotary positions.
  package static let thetas = 100...1e10

  package func numbers(_ name: String, count: Int, default preset: [Double]) throws(ModelError)
    -> [Double]
  {
    guard let value = json[name], !value.isNull else { return preset }
    let list = (value.array ?? []).compactMap(\.double)
    guard list.count == count, value.array?.count == count else {
      throw refuse(name, "\(count) numbers")
    }
    return list
  }

  /// The reader of a part whose keys stand inside `name` or at this level, depending on the version
  /// of transformers; inner ones take precedence over those at this level.
  package func merged(_ name: String) -> ConfigReader {
    guard let inner = json[name]?.members else { return self }
    let outer = (json.members ?? []).filter { member in
      member.name != name && !inner.contains { $0.name == member.name }
    }
    return ConfigReader(json: .object(inner + outer), place: "\(place): \(name)")
  }

  package func object(_ name: String) throws(ModelError) -> ConfigReader {
    guard let value = json[name], value.members != nil else { throw refuse(name, "an object") }
    return ConfigReader(json: value, place: "\(place): \(name)")
  }
}

extension Checkpoint {
  /// A configuration file of the folder as a reader.
  func config(_ name: String) throws(ModelError) -> ConfigReader {
    do throws(CheckpointError) {
      return ConfigReader(json: try json(name), place: "\(folder)/\(name)")
    } catch {
      throw ModelError(error)
    }
  }
}
