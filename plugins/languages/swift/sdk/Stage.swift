// What a stage is, and what the host calls. A stage is a struct that conforms to `Transform`, and
//
//     typealias Stage = Hello
//
// names it. Memory: columns, settings, and texts put together last until the call has returned.

/// What a stage says of itself.
struct Description {
  /// Kebab-case.
  let name: Text, version: Text, summary: Text
  /// JSON Schema of the configuration; without it, there are no settings.
  var configSchema: Text = "{\"type\": \"object\", \"additionalProperties\": false}"
  /// Markdown.
  var documentation: Text = ""
}

protocol Transform {
  init()
  static var description: Description { get }
  /// Whether it remembers: then `snapshot` is asked, and Opening.restore is given.
  static var stateful: Bool { get }
  /// Checks settings and columns; declares ports.
  mutating func open(_ settings: Settings, _ opening: Opening) throws(StageError)
  /// One batch; what is put out is an Output.
  mutating func process(_ frame: Frame) throws(StageError)
  /// Puts out what is still held; false when nothing is left.
  mutating func finish() throws(StageError) -> Bool
  mutating func snapshot() throws(StageError) -> UnsafeRawBufferPointer
}

extension Transform {
  static var stateful: Bool { false }
  mutating func finish() throws(StageError) -> Bool { false }
  mutating func snapshot() throws(StageError) -> UnsafeRawBufferPointer { UnsafeRawBufferPointer(start: nil, count: 0) }
}

private var stage = Stage()
private var returned = UnsafeMutableRawPointer.allocate(byteCount: 64, alignment: 8)

/// One call: its answer, or what it threw, in the contract's layout.
private func call(_ body: (UnsafeMutableRawPointer) throws(StageError) -> Void) -> UnsafeMutableRawPointer {
  answer = Answer()
  for at in 0..<8 { returned.put(UInt64(0), at * 8) }
  do throws(StageError) {
    try body(returned + 4)
  } catch {
    for at in 0..<8 { returned.put(UInt64(0), at * 8) }
    returned.put(UInt8(1), 0)
    error.lay(returned + 4)
  }
  return returned
}

@_expose(wasm, "parshall:stage/transform@0.1.0#describe") @_cdecl("parshall_describe")
func describe() -> UnsafeMutableRawPointer {
  let said = Stage.description
  returned.put(said.name, 0)
  returned.put(said.version, 8)
  returned.put(said.summary, 16)
  returned.put(said.documentation, 24)
  returned.put(said.configSchema, 32)
  returned.put(UInt8(Stage.stateful ? 1 : 0), 40)
  return returned
}

@_expose(wasm, "parshall:stage/transform@0.1.0#open") @_cdecl("parshall_open")
func open(
  _ config: UnsafePointer<UInt8>, _ configCount: Int, _ inputs: UnsafeRawPointer?, _ inputsCount: Int, _ restores: UInt32,
  _ restore: UnsafeRawPointer?, _ restoreCount: Int
) -> UnsafeMutableRawPointer {
  call { (to) throws(StageError) in
    let snapshot = restores == 0 ? nil : UnsafeRawBufferPointer(start: restore, count: restoreCount)
    let opening = Opening(inputs, inputsCount, snapshot)
    width = inputsCount == 0 ? 0 : opening.schema(0).columns
    stage = Stage()
    try stage.open(Settings(json: Text(config, configCount)), opening)
    opening.layPorts(to)
  }
}

@_expose(wasm, "parshall:stage/transform@0.1.0#process") @_cdecl("parshall_process")
func process(_ input: UInt32, _ rows: UInt64, _ handle: UInt32) -> UnsafeMutableRawPointer {
  call { (to) throws(StageError) in
    let frame = Frame(handle: handle, input: Int(input), rows: Int(rows))
    defer { frame.drop() }
    try stage.process(frame)
    answer.lay(to)
  }
}

@_expose(wasm, "parshall:stage/transform@0.1.0#finish") @_cdecl("parshall_finish")
func finish() -> UnsafeMutableRawPointer {
  call { (to) throws(StageError) in
    if try stage.finish() {
      to.put(UInt8(1), 0)
      answer.lay(to + 4)
    }
  }
}

@_expose(wasm, "parshall:stage/transform@0.1.0#snapshot") @_cdecl("parshall_snapshot")
func snapshot() -> UnsafeMutableRawPointer {
  call { (to) throws(StageError) in
    let bytes = try stage.snapshot()
    to.put(bytes.baseAddress, bytes.count, 0)
  }
}

@_expose(wasm, "cabi_post_parshall:stage/transform@0.1.0#open") @_cdecl("parshall_after_open")
func afterOpen(_ result: UnsafeRawPointer) { callIsOver() }
@_expose(wasm, "cabi_post_parshall:stage/transform@0.1.0#process") @_cdecl("parshall_after_process")
func afterProcess(_ result: UnsafeRawPointer) { callIsOver() }
@_expose(wasm, "cabi_post_parshall:stage/transform@0.1.0#finish") @_cdecl("parshall_after_finish")
func afterFinish(_ result: UnsafeRawPointer) { callIsOver() }
@_expose(wasm, "cabi_post_parshall:stage/transform@0.1.0#snapshot") @_cdecl("parshall_after_snapshot")
func afterSnapshot(_ result: UnsafeRawPointer) { callIsOver() }

@_expose(wasm, "cabi_realloc") @_cdecl("parshall_realloc")
func reallocate(_ old: UnsafeRawPointer?, _ oldSize: Int, _ alignment: Int, _ size: Int) -> UnsafeMutableRawPointer {
  let at = allocateBytes(size)
  if let old, oldSize > 0 { at.copyMemory(from: old, byteCount: min(oldSize, size)) }
  return at
}
