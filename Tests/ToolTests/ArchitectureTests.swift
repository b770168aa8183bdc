import Foundation
import RocTestSupport
import Testing

/// The walls between modules: docs/architecture.md says which module imports which, and the files
/// are held to it.
struct ArchitectureTests {
  private static let sources = "\(Fixture.repository)/Sources"

  /// Swift files below a folder of `Sources`.
  private static func files(_ folder: String) -> [String] {
    let all = FileManager.default.enumerator(atPath: "\(sources)/\(folder)")
    return (all?.allObjects as? [String] ?? []).filter { $0.hasSuffix(".swift") }.map {
      "\(sources)/\(folder)/\($0)"
    }
  }

  /// What the files of a folder import.
  private static func imports(_ folder: String) throws -> Set<String> {
    var found: Set<String> = []
    for file in files(folder) {
      for line in try String(contentsOfFile: file, encoding: .utf8).split(separator: "\n") {
        let words = line.split(separator: " ")
        guard let place = words.firstIndex(of: "import"), place <= 1, place + 1 < words.count
        else { continue }
        found.insert(String(words[place + 1]))
      }
    }
    return found
  }

  /// The rows of the table: a module and what it depends on.
  private static func table() throws -> [String: Set<String>] {
    let text = try String(
      contentsOfFile: "\(Fixture.repository)/docs/architecture.md", encoding: .utf8)
    var rows: [String: Set<String>] = [:]
    for line in text.split(separator: "\n") where line.hasPrefix("| `") {
      let cells = line.split(separator: "|").map { $0.trimmingCharacters(in: .whitespaces) }
      guard cells.count == 3 else { continue }
      rows[cells[0].replacing("`", with: "")] = Set(
        cells[2].split(separator: ",").map { $0.trimmingCharacters(in: .whitespaces) }
          .filter { $0 != "–" })
    }
    return rows
  }

  @Test func modulesImportWhatTheTableSays() throws {
    let table = try Self.table()
    let modules = try FileManager.default.contentsOfDirectory(atPath: Self.sources)
      .filter { $0.hasPrefix("Roc") || $0.hasPrefix("CRoc") }
    #expect(Set(table.keys) == Set(modules))
    #expect(table.count > 20)
    for module in modules where module.hasPrefix("Roc") {
      let own = try Self.imports(module).filter { $0.hasPrefix("Roc") || $0.hasPrefix("CRoc") }
      #expect(own == table[module], "\(module)")
    }
  }

  /// What stands lower never imports what stands higher; a leaf needs only leaves.
  @Test func leavesDependOnLeaves() throws {
    let table = try Self.table()
    let leaves = [
      "RocNames", "RocJSON", "RocScore", "RocMetrics", "RocFiles", "RocDigest", "RocArchive",
      "RocTables",
    ]
    for leaf in leaves {
      #expect((table[leaf] ?? []).isSubset(of: leaves), "\(leaf)")
    }
    for (module, needed) in table {
      #expect(!needed.contains("CRocKernels") || module == "RocTensor")
      #expect(!needed.contains("RocTool") || module == "RocEngineTool", "\(module)")
      #expect(!needed.contains("RocServer"), "\(module)")
    }
    for module in ["RocData", "RocStore", "RocEvaluation", "RocReport", "RocImage", "RocTokenizer"]
    {
      #expect(table[module]?.isDisjoint(with: ["RocTensor", "RocModel"]) == true, "\(module)")
    }
    #expect(table["RocModel"]?.contains("RocStore") == false)
  }

  /// Tools parse, call and print: no kernels, no SQL.
  @Test func toolsHaveNoBusinessBelow() throws {
    for tool in ["roc-data", "roc-eval", "roc-model", "roc-serve", "roc-train"] {
      let own = try Self.imports("Tools/\(tool)")
      #expect(
        own.isDisjoint(with: [
          "CRocKernels", "CRocImage", "GRDB", "GRDBSQLite", "Yams", "Hummingbird", "NIOCore",
        ]))
    }
  }

  /// Model code asks devices and never touches memory; a matrix is made by a device.
  @Test func onlyDevicesTouchMemory() throws {
    for module in ["RocModel", "RocTrain", "RocScoring", "Roc"] {
      for file in Self.files(module) {
        let text = try String(contentsOfFile: file, encoding: .utf8)
        for word in ["UnsafeMutablePointer<Float>", "UnsafePointer<Float>", " Matrix("] {
          #expect(!text.contains(word), "\(file): \(word)")
        }
      }
    }
  }

  /// What is told apart by its kind is told apart in one place.
  @Test func networksAreNamedInTheirFolder() throws {
    for file in Self.files("RocModel") + Self.files("RocTrain") + Self.files("RocScoring")
    where !file.contains("/Backbones/") {
      // Comments may speak of it.
      let code = try String(contentsOfFile: file, encoding: .utf8).split(separator: "\n")
        .filter { !$0.drop(while: \.isWhitespace).hasPrefix("//") }
      for word in [
        "Owl2", "LLaVA", "Qwen", "model.vision_model", "model.layers", "lm_head.weight",
        "multiway.0",
      ] {
        let line = code.first { $0.contains(word) }
        #expect(line == nil, "\(file): \(line ?? "")")
      }
    }
  }

  /// Files are written in one way; a name for what is unfinished is made in one place.
  @Test func filesAreWrittenInOnePlace() throws {
    for file in Self.files("") where !file.contains("/RocFiles/") {
      let text = try String(contentsOfFile: file, encoding: .utf8)
      for word in ["O_CREAT", "atomically:", "O_TRUNC", "rename(\"", ".write(to: URL", "mkstemp"] {
        #expect(!text.contains(word), "\(file): \(word)")
      }
    }
  }

  /// Text that the compiler must not take: names of pictures are bytes, and `String` compares by
  /// what letters look like.
  @Test(arguments: [
    "func f(_ known: [ImageKey: Int], _ name: String) -> Int? { known[name] }",
    "func f(_ key: ImageKey, _ name: String) -> Bool { key == name }",
    "func f(_ name: FileName, _ key: ImageKey) -> Bool { key == name }",
    "func f(_ name: String) -> ImageKey { name }",
  ])
  func pictureNamesAreNoStrings(_ text: String) throws {
    let folder = try TemporaryFolder()
    let modules = "\(try CommandRun.tools())/Modules"
    // The package manager names a package after its folder.
    let name = URL(fileURLWithPath: Fixture.repository).lastPathComponent.lowercased()
    let package = String(name.map { $0.isASCII && ($0.isLetter || $0.isNumber) ? $0 : "_" })
    func check(_ text: String) throws -> (status: Int32, text: String) {
      let file = try folder.write("import RocNames\n\(text)\n", to: "snippet.swift")
      return try CommandRun.program(
        "/usr/bin/env",
        ["swiftc", "-typecheck", "-package-name", package, "-I", modules, file],
        folder: folder.path)
    }
    // The same text with the right types is taken: it is the types that are refused.
    let right = try check(
      text.replacing("FileName", with: "ImageKey").replacing("String", with: "ImageKey"))
    #expect(right.status == 0, "\(right.text)")
    let wrong = try check(text)
    #expect(wrong.status != 0 && wrong.text.contains("error: "), "\(wrong.text)")
  }
}
