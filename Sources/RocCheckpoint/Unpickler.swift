/// Reads the few opcodes that `torch.save` writes for a dictionary of tensors, and calls nothing.
///
/// A pickle is a program; unpickling in Python runs whatever it names. Here every name must be on
/// the list of `PickleGlobal` and every opcode among those below, and "calling" one of these names
/// only notes its arguments. Opcodes: https://github.com/python/cpython/blob/3.11/Lib/pickletools.py
struct Unpickler {
  private let bytes: UnsafeRawBufferPointer
  private(set) var position: Int
  private var stack: [PickleValue] = []
  /// Stack heights at open marks.
  private var marks: [Int] = []
  private var memo: [Int: PickleValue] = [:]

  /// Open marks and nested containers; a dictionary of tensors has far fewer.
  private static let deepest = 500

  /// - Parameters:
  ///   - bytes: Hold the pickle.
  ///   - position: Where it begins.
  init(_ bytes: UnsafeRawBufferPointer, at position: Int = 0) {
    self.bytes = bytes
    self.position = position
  }

  /// The pickled value; `position` is then after it.
  mutating func read() throws(PickleError) -> PickleValue {
    while true {
      let opcode = try byte()
      if opcode == UInt8(ascii: ".") { break }
      try run(opcode)
    }
    guard stack.count == 1, marks.isEmpty, let value = stack.first else {
      throw error("ends with \(stack.count) values, expected one")
    }
    return value
  }

  private func error(_ reason: String) -> PickleError {
    PickleError(position: position, reason: reason)
  }

  private mutating func run(_ opcode: UInt8) throws(PickleError) {
    switch opcode {
    case 0x80: try protocolVersion()
    case 0x95: _ = try take(8)  // FRAME
    case UInt8(ascii: "N"): push(.none)
    case 0x88: push(.bool(true))
    case 0x89: push(.bool(false))
    case UInt8(ascii: "K"): push(.int(Int(try byte())))
    case UInt8(ascii: "M"): push(.int(try littleEndian(2)))
    case UInt8(ascii: "J"): push(.int(Int(Int32(truncatingIfNeeded: try littleEndian(4)))))
    case 0x8A: push(try long(Int(try byte())))
    case UInt8(ascii: "G"): push(.float(try bigEndianDouble()))
    case 0x8C: push(.text(try text(Int(try byte()))))
    case UInt8(ascii: "X"): push(.text(try text(try littleEndian(4))))
    case UInt8(ascii: "("):
      guard marks.count < Self.deepest else { throw error("more than \(Self.deepest) open marks") }
      marks.append(stack.count)
    case UInt8(ascii: ")"): try pushTuple([])
    case UInt8(ascii: "t"): try pushTuple(try sinceMark())
    case 0x85: try pushTuple(try popLast(1))
    case 0x86: try pushTuple(try popLast(2))
    case 0x87: try pushTuple(try popLast(3))
    case UInt8(ascii: "]"): push(.list(PickleList()))
    case UInt8(ascii: "}"): push(.dictionary(PickleDictionary()))
    case UInt8(ascii: "a"): try append(try popLast(1))
    case UInt8(ascii: "e"): try append(try sinceMark())
    case UInt8(ascii: "s"): try set(try popLast(2))
    case UInt8(ascii: "u"): try set(try sinceMark())
    case UInt8(ascii: "q"): try memoize(Int(try byte()))
    case UInt8(ascii: "r"): try memoize(try littleEndian(4))
    case 0x94: try memoize(memo.count)
    case UInt8(ascii: "h"): try recall(Int(try byte()))
    case UInt8(ascii: "j"): try recall(try littleEndian(4))
    case UInt8(ascii: "c"): try global(module: try line(), name: try line())
    case 0x93:
      let names = try popLast(2)
      guard let module = names[0].text, let name = names[1].text else {
        throw error("STACK_GLOBAL without names")
      }
      try global(module: module, name: name)
    case UInt8(ascii: "Q"): try persistentID()
    case UInt8(ascii: "R"): try reduce()
    case UInt8(ascii: "b"): try build()
    default:
      position -= 1
      let name = Self.names[opcode].map { " (\($0))" } ?? ""
      throw error(
        "opcode 0x\(String(opcode, radix: 16, uppercase: true))\(name) is not allowed in weights")
    }
  }

  /// Opcodes that run code or make objects, for the message.
  private static let names: [UInt8: String] = [
    UInt8(ascii: "i"): "INST", UInt8(ascii: "o"): "OBJ", 0x81: "NEWOBJ", 0x92: "NEWOBJ_EX",
    0x82: "EXT1", 0x83: "EXT2", 0x84: "EXT4", UInt8(ascii: "P"): "PERSID",
  ]

  // MARK: Bytes

  private mutating func byte() throws(PickleError) -> UInt8 {
    guard position < bytes.count else { throw error("ends in the middle") }
    defer { position += 1 }
    return bytes[position]
  }

  private mutating func take(_ count: Int) throws(PickleError) -> UnsafeRawBufferPointer {
    guard count >= 0, count <= bytes.count - position else { throw error("ends in the middle") }
    defer { position += count }
    return UnsafeRawBufferPointer(rebasing: bytes[position..<position + count])
  }

  private mutating func littleEndian(_ count: Int) throws(PickleError) -> Int {
    try take(count).reversed().reduce(0) { $0 << 8 | Int($1) }
  }

  private mutating func bigEndianDouble() throws(PickleError) -> Double {
    Double(bitPattern: try take(8).reduce(0 as UInt64) { $0 << 8 | UInt64($1) })
  }

  /// A two's complement number of `count` bytes.
  private mutating func long(_ count: Int) throws(PickleError) -> PickleValue {
    let digits = Array(try take(count))
    guard digits.count <= 8 else { return .large(digits) }
    let value = digits.reversed().reduce(0 as UInt64) { $0 << 8 | UInt64($1) }
    let unused = 64 - 8 * digits.count
    return .int(digits.isEmpty ? 0 : Int(Int64(bitPattern: value << UInt64(unused)) >> unused))
  }

  private mutating func text(_ count: Int) throws(PickleError) -> String {
    String(decoding: try take(count), as: UTF8.self)
  }

  private mutating func line() throws(PickleError) -> String {
    let start = position
    while try byte() != UInt8(ascii: "\n") {}
    return String(decoding: bytes[start..<position - 1], as: UTF8.self)
  }

  private mutating func protocolVersion() throws(PickleError) {
    let version = try byte()
    guard (2...5).contains(version) else {
      throw error("pickle protocol \(version), expected 2 to 5")
    }
  }

  // MARK: Stack

  private mutating func push(_ value: PickleValue) { stack.append(value) }

  private mutating func pushTuple(_ values: [PickleValue]) throws(PickleError) {
    push(.tuple(PickleTuple(values: values, depth: try closed(values))))
  }

  private mutating func popLast(_ count: Int) throws(PickleError) -> [PickleValue] {
    guard stack.count - (marks.last ?? 0) >= count else { throw error("takes more than there is") }
    defer { stack.removeLast(count) }
    return Array(stack.suffix(count))
  }

  private mutating func sinceMark() throws(PickleError) -> [PickleValue] {
    guard let mark = marks.popLast() else { throw error("no open mark") }
    defer { stack.removeLast(stack.count - mark) }
    return Array(stack[mark...])
  }

  private mutating func memoize(_ index: Int) throws(PickleError) {
    guard let top = stack.last else { throw error("nothing to remember") }
    memo[index] = top
  }

  private mutating func recall(_ index: Int) throws(PickleError) {
    guard let value = memo[index] else { throw error("nothing remembered as \(index)") }
    push(value)
  }

  /// Closes what is put into another container, and gives the depth of the latter.
  private func closed(_ values: [PickleValue]) throws(PickleError) -> Int {
    var depth = 1
    for value in values {
      depth = max(depth, value.depth + 1)
      switch value {
      case .list(let list): list.isClosed = true
      case .dictionary(let dictionary): dictionary.isClosed = true
      default: break
      }
    }
    // Freeing containers is recursive; a tower of them would exhaust the stack.
    guard depth <= Self.deepest else { throw error("more than \(Self.deepest) nested containers") }
    return depth
  }

  private mutating func append(_ values: [PickleValue]) throws(PickleError) {
    guard case .list(let list) = stack.last, !list.isClosed else {
      throw error("appends to \(stack.last?.kind ?? "nothing") that is no open list")
    }
    list.depth = max(list.depth, try closed(values))
    guard !list.isClosed else { throw error("a list that holds itself") }
    list.values += values
  }

  private mutating func set(_ values: [PickleValue]) throws(PickleError) {
    guard case .dictionary(let dictionary) = stack.last, !dictionary.isClosed else {
      throw error("sets entries of \(stack.last?.kind ?? "nothing") that is no open dict")
    }
    guard values.count % 2 == 0 else { throw error("a key without a value") }
    dictionary.depth = max(dictionary.depth, try closed(values))
    guard !dictionary.isClosed else { throw error("a dict that holds itself") }
    for i in stride(from: 0, to: values.count, by: 2) {
      dictionary.entries.append((values[i], values[i + 1]))
    }
  }

  // MARK: Names and what stands for calls

  private mutating func global(module: String, name: String) throws(PickleError) {
    guard let global = PickleGlobal(rawValue: "\(module) \(name)") else {
      throw error("names \(module).\(name), which weights have no use for; it was not called")
    }
    push(.global(global))
  }

  private mutating func persistentID() throws(PickleError) {
    let id = try popLast(1)[0].tuple ?? []
    guard id.count >= 5, id[0].text == "storage", case .global(let type) = id[1],
      type.dtype != nil, let key = id[2].text, let count = id[4].int, count >= 0
    else { throw error("a persistent id that is no storage") }
    if id.count > 5, case .tuple = id[5] { throw error("a storage that is a view of another") }
    push(.storage(PickleStorage(type: type, key: key, count: count)))
  }

  private mutating func reduce() throws(PickleError) {
    let values = try popLast(2)
    guard case .global(let global) = values[0], let arguments = values[1].tuple else {
      throw error("calls \(values[0].kind)")
    }
    switch global {
    case .orderedDict:
      guard arguments.isEmpty else {
        throw error("an OrderedDict made of \(arguments.count) values")
      }
      push(.dictionary(PickleDictionary()))
    case .size: push(arguments.first ?? .tuple(PickleTuple(values: [], depth: 1)))
    case .rebuildTensor, .rebuildTensorV1: push(.tensor(try tensor(arguments)))
    case .rebuildParameter:
      guard case .tensor(let tensor)? = arguments.first else {
        throw error("a parameter made of \(arguments.first?.kind ?? "nothing")")
      }
      push(.tensor(tensor))
    default: throw error("calls \(global.rawValue)")
    }
  }

  private func tensor(_ arguments: [PickleValue]) throws(PickleError) -> PickleTensor {
    guard arguments.count >= 4, case .storage(let storage) = arguments[0],
      let offset = arguments[1].int, let shape = arguments[2].ints,
      let strides = arguments[3].ints, shape.count == strides.count, shape.count <= 16, offset >= 0,
      shape.allSatisfy({ $0 >= 0 }), strides.allSatisfy({ $0 >= 0 })
    else { throw error("a tensor without a storage, offset, shape and strides") }
    return PickleTensor(storage: storage, offset: offset, shape: shape, strides: strides)
  }

  /// Passes over the attributes of an object: `torch.save` writes them for the metadata of an
  /// OrderedDict, which holds nothing of the weights.
  private mutating func build() throws(PickleError) {
    _ = try popLast(1)
    guard case .dictionary = stack.last else {
      throw error("sets attributes of \(stack.last?.kind ?? "nothing")")
    }
  }
}
