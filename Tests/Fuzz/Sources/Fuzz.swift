import CRocImage
import RocCheckpoint
import RocImage
import RocJSON
import RocModel
import RocTensor
import RocTokenizer

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

// Readers of files that strangers send, under libFuzzer. The environment variable ROC_FUZZ_TARGET
// names one of the kinds below; see Scripts/fuzz.sh. A reader may refuse anything; it must not
// crash, read outside its input or take memory without bound.

/// A folder in memory that Scripts/fuzz.sh makes for each run.
private let folder = getenv("ROC_FUZZ_SCRATCH").map { String(cString: $0) } ?? "/dev/shm"
private let scratch = "\(folder)/input"

private func write(_ bytes: UnsafeBufferPointer<UInt8>, to path: String) {
  let descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0o600)
  guard descriptor >= 0 else { abort() }
  var done = 0
  while done < bytes.count, let base = bytes.baseAddress {
    let count = Glibc.write(descriptor, base + done, bytes.count - done)
    guard count > 0 else { abort() }
    done += count
  }
  close(descriptor)
}

/// Reads weights and touches every value that the header promises.
private func weights(_ bytes: UnsafeBufferPointer<UInt8>) {
  write(bytes, to: scratch)
  guard let file = try? WeightFile(path: scratch) else { return }
  for tensor in file.tensors {
    _ = tensor.byteCount &+ tensor.shape.dropFirst().reduce(1, *)
    guard tensor.count <= 1 << 20 else { continue }
    let sum = tensor.withContents { $0.reduce(0) { $0 &+ Int($1) } }
    if [.f32, .f16, .bf16].contains(tensor.dtype) { _ = tensor.widened.count &+ sum }
  }
}

private let samples = [
  "", " ", "The aesthetic rate of the image is [SCORE]. ", "é\u{1F600}<0x41>\n",
]

private func tokenizer(_ bytes: UnsafeBufferPointer<UInt8>) {
  write(bytes, to: "\(folder)/tokenizer.model")
  guard let tokenizer = try? SentencePieceTokenizer(folder: folder) else { return }
  for sample in samples { _ = tokenizer.decode(tokenizer.encode(sample)) }
  _ = tokenizer.decode([-1, 0, 1, 2, 3, tokenizer.count, Int.max], skipSpecial: false)
}

/// tokenizer.json, with nothing beside it.
private func fastTokenizer(_ bytes: UnsafeBufferPointer<UInt8>) {
  write(bytes, to: "\(folder)/tokenizer.json")
  guard let tokenizer = try? FastTokenizer(folder: folder) else { return }
  for sample in samples { _ = tokenizer.decode(tokenizer.encode(sample)) }
  _ = tokenizer.decode([-1, 0, 1, 2, 3, tokenizer.count, Int.max], skipSpecial: false)
}

private let compute = try? Compute(threads: 1, instructionSet: "portable")

/// A config that is accepted must give sizes that can be added up.
private func config(_ bytes: UnsafeBufferPointer<UInt8>) {
  guard let json = try? JSON.parse(UnsafeRawBufferPointer(bytes)), let compute else { return }
  _ = json.pretty
  // Networks of thousands of layers only cost time.
  for part in [json, json["text_config"], json["vision_config"]] {
    guard (part?["num_hidden_layers"]?.int ?? 0) < 50, (part?["depth"]?.int ?? 0) < 50 else {
      return
    }
  }
  if let requests = try? ModelLoader.requests(of: json, compute: compute) {
    _ = requests.reduce(0) { $0 &+ $1.shape.reduce(1, &*) }
  }
}

private func picture(_ bytes: UnsafeBufferPointer<UInt8>) {
  write(bytes, to: scratch)
  guard let picture = try? Picture.read(scratch), picture.width * picture.height < 1 << 20 else {
    return
  }
  let fitted = PixelLimits(factor: 28, least: 784, most: 1 << 16)
  for preprocessing in [Preprocessing(size: 28), Preprocessing(size: 0, shape: .fit(fitted))] {
    if let pixels = try? preprocessing(picture, path: scratch) {
      for i in 0..<pixels.values.count { precondition(pixels.values[i].isFinite) }
    }
  }
}

private let targets: [String: @Sendable (UnsafeBufferPointer<UInt8>) -> Void] = [
  "safetensors": { weights($0) }, "torch": { weights($0) },
  "sentencepiece": { tokenizer($0) }, "config": { config($0) },
  "tokenizers": { fastTokenizer($0) },
  "pictures": { picture($0) },
]

private let chosen: @Sendable (UnsafeBufferPointer<UInt8>) -> Void = {
  let name = getenv("ROC_FUZZ_TARGET").map { String(cString: $0) } ?? ""
  guard let target = targets[name] else {
    print("ROC_FUZZ_TARGET must be one of \(targets.keys.sorted())")
    exit(64)
  }
  return target
}()

/// One input of libFuzzer's.
@_cdecl("LLVMFuzzerTestOneInput")
public func testOneInput(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
  chosen(UnsafeBufferPointer(start: start, count: count))
  return 0
}

@_silgen_name("LLVMFuzzerRunDriver")
private func runDriver(
  _ count: UnsafeMutablePointer<CInt>,
  _ arguments: UnsafeMutablePointer<UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?>,
  _ test: @convention(c) (UnsafePointer<UInt8>?, Int) -> CInt
) -> CInt

/// The program's start: the package manager gives `main` this name.
@_cdecl("roc_fuzz_main")
public func start(
  _ count: CInt, _ arguments: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?
) -> CInt {
  var count = count
  var arguments = arguments
  return runDriver(&count, &arguments, testOneInput)
}
