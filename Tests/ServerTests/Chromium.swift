import Foundation
import RocJSON
import Testing

/// A real browser without a window, driven as the WebDriver standard says
/// (https://www.w3.org/TR/webdriver2/).
final class Chromium {
  private let driver: Process
  private let port: UInt16
  private let session: String
  private let profile: String

  /// Where Debian's package chromium-driver puts it.
  static let path = "/usr/bin/chromedriver"

  struct Failure: Error {
    let text: String
  }

  /// - Parameters:
  ///   - width: Of the window, in pixels.
  ///   - isDark: Whether the reader prefers dark pages.
  /// - Throws: When it does not start.
  init(width: Int = 1280, isDark: Bool = false) throws {
    driver = Process()
    driver.executableURL = URL(fileURLWithPath: Self.path)
    driver.arguments = ["--port=0"]
    let pipe = Pipe()
    driver.standardOutput = pipe
    driver.standardError = FileHandle.nullDevice
    try driver.run()
    var text = ""
    var found: UInt16?
    while found == nil {
      let data = pipe.fileHandleForReading.availableData
      guard !data.isEmpty else { throw Failure(text: text) }
      text += String(decoding: data, as: UTF8.self)
      found = text.firstMatch(of: /started successfully on port (\d+)/).flatMap { UInt16($0.1) }
    }
    port = found ?? 0
    profile = NSTemporaryDirectory() + "roc-chromium-" + UUID().uuidString
    var flags = [
      "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
      "--user-data-dir=\(profile)", "--window-size=\(width),1000", "--no-first-run",
      "--disable-background-networking", "--disable-component-update", "--disable-sync",
    ]
    if isDark { flags.append("--blink-settings=preferredColorScheme=0") }
    let options: JSON = [
      "args": .array(flags.map(JSON.string)), "binary": "/usr/bin/chromium",
      // A window is never narrower than 500 pixels.
      "mobileEmulation": [
        "deviceMetrics": [
          "width": .int(width), "height": 1000, "pixelRatio": 1, "mobile": false, "touch": false,
        ]
      ],
    ]
    let capabilities: JSON = [
      "capabilities": [
        "alwaysMatch": [
          "goog:chromeOptions": options,
          "goog:loggingPrefs": ["browser": "ALL", "performance": "ALL"],
        ]
      ]
    ]
    let answer = try Self.call(port, "POST", "/session", capabilities)
    guard let id = answer["sessionId"]?.string else { throw Failure(text: answer.line) }
    session = id
  }

  deinit {
    _ = try? Self.call(port, "DELETE", "/session/\(session)", nil)
    // It ignores SIGTERM.
    kill(driver.processIdentifier, SIGKILL)
    driver.waitUntilExit()
    try? FileManager.default.removeItem(atPath: profile)
  }

  func open(_ address: String) throws { _ = try call("POST", "/url", ["url": .string(address)]) }

  /// Runs a script; `return` gives a value.
  @discardableResult
  func run(_ script: String) throws -> JSON {
    try call("POST", "/execute/sync", ["script": .string(script), "args": []])
  }

  /// Waits until a script gives true.
  func wait(_ condition: String, seconds: Double = 20) throws {
    let end = Date().addingTimeInterval(seconds)
    while Date() < end {
      if try run("return Boolean(\(condition))") == true { return }
      usleep(50_000)
    }
    throw Failure(
      text: "\(condition) did not come true; \(try run("return document.body.innerText").line)")
  }

  /// The first element that a selector finds.
  private func element(_ selector: String) throws -> String {
    let found = try call(
      "POST", "/element", ["using": "css selector", "value": .string(selector)])
    guard let id = found.members?.first?.value.string else { throw Failure(text: found.line) }
    return id
  }

  func click(_ selector: String) throws {
    _ = try call("POST", "/element/\(try element(selector))/click", [:])
  }

  /// Types, or names the files of a file field.
  func type(_ text: String, into selector: String) throws {
    _ = try call("POST", "/element/\(try element(selector))/value", ["text": .string(text)])
  }

  /// Presses a key in the page; `key` is what WebDriver calls it.
  func press(_ key: String) throws {
    _ = try call(
      "POST", "/actions",
      [
        "actions": [
          [
            "type": "key", "id": "keys",
            "actions": [
              ["type": "keyDown", "value": .string(key)], ["type": "keyUp", "value": .string(key)],
            ],
          ]
        ]
      ])
  }

  var address: String { get throws { try call("GET", "/url", nil).string ?? "" } }

  /// Errors and warnings of the console since the last call.
  func complaints() throws -> [String] {
    try log("browser").compactMap { entry in
      let level = entry["level"]?.string ?? ""
      return ["SEVERE", "WARNING"].contains(level) ? entry["message"]?.string : nil
    }
  }

  /// Addresses that were asked for over the network since the last call; not those of Chromium's
  /// own pages.
  func requests() throws -> [String] {
    try log("performance").compactMap { entry in
      let message = try JSON.parse(entry["message"]?.string ?? "null")["message"]
      guard message?["method"] == "Network.requestWillBeSent" else { return nil }
      let address = message?["params"]?["request"]?["url"]?.string ?? ""
      return ["data:", "chrome:", "about:"].contains(where: address.hasPrefix) ? nil : address
    }
  }

  /// Writes what is seen as a PNG.
  func screenshot(to path: String) throws {
    let text = try call("GET", "/screenshot", nil).string ?? ""
    try (Data(base64Encoded: text) ?? Data()).write(to: URL(fileURLWithPath: path))
  }

  private func log(_ kind: String) throws -> [JSON] {
    try call("POST", "/se/log", ["type": .string(kind)]).array ?? []
  }

  private func call(_ method: String, _ path: String, _ body: JSON?) throws -> JSON {
    try Self.call(port, method, "/session/\(session)\(path)", body)
  }

  private static func call(
    _ port: UInt16, _ method: String, _ path: String, _ body: JSON?
  ) throws -> JSON {
    let client = try HTTPClient(port)
    try client.send(
      method, path, headers: ["Content-Type: application/json", "Host: localhost:\(port)"],
      body: body.map { Array($0.line.utf8) } ?? [])
    let answer = try client.read()
    let value = try answer.json()["value"] ?? .null
    if let error = value["error"]?.string {
      throw Failure(text: "\(path): \(error): \(value["message"]?.string ?? "")")
    }
    return value
  }
}
