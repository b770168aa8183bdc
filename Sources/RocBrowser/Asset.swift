import RocDigest

/// A file that pages load.
package struct Asset: Sendable {
  package let name: String
  package let type: String
  package let bytes: [UInt8]
  /// Changes with the content.
  package let tag: String

  private init(_ name: String, _ type: String, _ bytes: [UInt8]) {
    self.name = name
    self.type = type
    self.bytes = bytes
    tag = "\"\(bytes.withUnsafeBytes { SHA256.of($0) }.prefix(16))\""
  }

  package static let all = [
    Asset("roc.css", "text/css; charset=utf-8", PackageResources.roc_css),
    Asset("roc.js", "text/javascript; charset=utf-8", PackageResources.roc_js),
    Asset("try.js", "text/javascript; charset=utf-8", PackageResources.try_js),
    Asset("roc.svg", "image/svg+xml", PackageResources.roc_svg),
  ]
}
