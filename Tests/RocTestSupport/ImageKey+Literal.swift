package import RocNames

// In tests only: in the product every key comes from a file or a database.
extension ImageKey: ExpressibleByStringInterpolation {
  package init(stringLiteral text: String) { self.init(text) }
}
