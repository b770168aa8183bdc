import ArgumentParser

/// True and False as Python writes them, and as others do.
struct Switch: ExpressibleByArgument, CustomStringConvertible {
  let isOn: Bool

  var description: String { isOn ? "true" : "false" }

  init(_ isOn: Bool) { self.isOn = isOn }

  init?(argument: String) {
    switch argument.lowercased() {
    case "true", "1", "yes": isOn = true
    case "false", "0", "no": isOn = false
    default: return nil
    }
  }

}
