// Columns by name, and ports.

let nullable: UInt8 = 1
private let dictionaryEncoded: UInt8 = 8
private let fieldBytes = 32

/// One field of a schema; `format` is that of the Arrow C data interface.
struct Field {
  let name: Text, format: Text
  var flags: UInt8 = 0
}

/// The columns of a batch.
struct Schema {
  fileprivate let fields: UnsafeRawPointer?
  fileprivate let count: Int

  init(_ raw: UnsafeRawPointer) {
    fields = raw.pointer(0)
    count = raw.count(4)
  }

  private func field(_ at: Int) -> UnsafeRawPointer { fields.unsafelyUnwrapped + at * fieldBytes }

  /// Where the field after one and its children stands.
  private func after(_ at: Int) -> Int {
    let raw = field(at)
    var next = at + 1
    if raw.load(fromByteOffset: 16, as: UInt8.self) & dictionaryEncoded != 0 { next = after(next) }
    for _ in 0..<raw.count(20) { next = after(next) }
    return next
  }

  var columns: Int {
    var columns = 0, at = 0
    while at < count {
      columns += 1
      at = after(at)
    }
    return columns
  }

  subscript(_ column: Int) -> Field {
    var at = 0
    for _ in 0..<column { at = after(at) }
    let raw = field(at)
    return Field(name: raw.text(0), format: raw.text(8), flags: raw.load(fromByteOffset: 16, as: UInt8.self))
  }

  /// The index of a column of one of the formats in a list such as "lg": `l` int64, `g` float64, `u` utf8 …
  func index(_ name: Text, _ formats: Text, _ pointer: Text = "") throws(StageError) -> Int {
    for column in 0..<columns {
      let field = self[column]
      if field.name != name { continue }
      if field.format.count == 1, formats.contains(field.format[0]), field.flags & dictionaryEncoded == 0 { return column }
      throw .schema(name, "expected a type of format " + formats + ", found " + field.format)
    }
    throw .config(pointer, "there is no column `" + name + "`")
  }

  fileprivate func same(_ other: Schema) -> Bool {
    if count != other.count { return false }
    for at in 0..<count where field(at).text(0) != other.field(at).text(0) || field(at).text(8) != other.field(at).text(8) { return false }
    return true
  }
}

private let inputBytes = 24
private var ports = allocatePorts()
private func allocatePorts() -> UnsafeMutableRawPointer { .allocate(byteCount: 8 * inputBytes, alignment: 8) }
private var portsCount = 0

/// What an instance is opened with.
struct Opening {
  fileprivate let inputs: UnsafeRawPointer?
  let inputsCount: Int
  /// An earlier instance's snapshot.
  let restore: UnsafeRawBufferPointer?

  init(_ inputs: UnsafeRawPointer?, _ count: Int, _ restore: UnsafeRawBufferPointer?) {
    self.inputs = inputs
    inputsCount = count
    self.restore = restore
    portsCount = 0
  }

  func schema(_ input: Int) -> Schema { Schema(inputs.unsafelyUnwrapped + input * inputBytes + 8) }

  /// The schema that all inputs have.
  func sameSchema() throws(StageError) -> Schema {
    if inputsCount == 0 { throw .config("", "the stage has no input") }
    let first = schema(0)
    for input in 0..<inputsCount where !schema(input).same(first) {
      throw .schema((inputs.unsafelyUnwrapped + input * inputBytes).text(0), "this input has other columns than the first")
    }
    return first
  }

  /// A way out, `out` where there is only one; at most 8.
  func port(_ name: Text, _ schema: Schema) throws(StageError) { try port(name, schema.fields, schema.count) }

  /// A way out, of fields of the stage's own.
  func port(_ name: Text, _ fields: [Field]) throws(StageError) {
    let raw = allocateBytes(fields.count * fieldBytes)
    for at in 0..<fields.count {
      let field = raw + at * fieldBytes
      field.put(fields[at].name, 0)
      field.put(fields[at].format, 8)
      field.put(fields[at].flags, 16)
      field.put(UInt32(0), 20)
      field.put(nil, 0, 24)
    }
    try port(name, UnsafeRawPointer(raw), fields.count)
  }

  private func port(_ name: Text, _ fields: UnsafeRawPointer?, _ count: Int) throws(StageError) {
    if portsCount == 8 { throw .internalError("more than 8 ports") }
    let port = ports + portsCount * inputBytes
    port.put(name, 0)
    port.put(fields, count, 8)
    port.put(nil, 0, 16)
    portsCount += 1
  }

  /// The ports, in the contract's layout.
  func layPorts(_ to: UnsafeMutableRawPointer) { to.put(ports, portsCount, 0) }
}
