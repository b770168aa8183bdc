/// What a restricted unpickler makes: plain values, and tensors that are described, not built.
indirect enum PickleValue {
  case none
  case bool(Bool)
  case int(Int)
  case float(Double)
  /// An integer beyond 64 bits, as its bytes.
  case large([UInt8])
  case text(String)
  case tuple(PickleTuple)
  case list(PickleList)
  case dictionary(PickleDictionary)
  /// A name on the allow-list; calling it makes one of the values below.
  case global(PickleGlobal)
  case storage(PickleStorage)
  case tensor(PickleTensor)

  /// For messages.
  var kind: String {
    switch self {
    case .none: "None"
    case .bool: "a bool"
    case .int, .large: "an int"
    case .float: "a float"
    case .text: "a string"
    case .tuple: "a tuple"
    case .list: "a list"
    case .dictionary: "a dict"
    case .global: "a class"
    case .storage: "a storage"
    case .tensor: "a tensor"
    }
  }

  var int: Int? { if case .int(let value) = self { value } else { nil } }
  var text: String? { if case .text(let value) = self { value } else { nil } }
  var tuple: [PickleValue]? { if case .tuple(let tuple) = self { tuple.values } else { nil } }

  /// How deeply containers are nested here.
  var depth: Int {
    switch self {
    case .tuple(let tuple): tuple.depth
    case .list(let list): list.depth
    case .dictionary(let dictionary): dictionary.depth
    default: 0
    }
  }
  /// Every element of a tuple of whole numbers.
  var ints: [Int]? {
    guard let tuple else { return nil }
    let ints = tuple.compactMap(\.int)
    return ints.count == tuple.count ? ints : nil
  }
}

struct PickleTuple {
  let values: [PickleValue]
  let depth: Int
}

final class PickleList {
  var values: [PickleValue] = []
  var depth = 1
  /// It lies in another container, so nothing may be added: containers must not hold each other.
  var isClosed = false
}

final class PickleDictionary {
  var entries: [(key: PickleValue, value: PickleValue)] = []
  var depth = 1
  var isClosed = false
}

/// The only names that a weight file may mention.
enum PickleGlobal: String {
  case orderedDict = "collections OrderedDict"
  case rebuildTensor = "torch._utils _rebuild_tensor_v2"
  case rebuildTensorV1 = "torch._utils _rebuild_tensor"
  case rebuildParameter = "torch._utils _rebuild_parameter"
  case size = "torch Size"
  case double = "torch DoubleStorage"
  case float = "torch FloatStorage"
  case half = "torch HalfStorage"
  case bfloat16 = "torch BFloat16Storage"
  case long = "torch LongStorage"
  case int = "torch IntStorage"
  case short = "torch ShortStorage"
  case char = "torch CharStorage"
  case byte = "torch ByteStorage"
  case bool = "torch BoolStorage"
}

/// A storage that a pickle refers to: ('storage', type, key, device, count).
struct PickleStorage {
  let type: PickleGlobal
  let key: String
  let count: Int
}

/// The arguments of `_rebuild_tensor_v2`.
struct PickleTensor {
  let storage: PickleStorage
  let offset: Int
  let shape: [Int]
  let strides: [Int]
}

/// Why a pickle is refused, and where.
struct PickleError: Error, Equatable {
  let position: Int
  let reason: String
}
