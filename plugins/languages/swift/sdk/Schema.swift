// Columns by name, and ports.

let nullable: UInt8 = 1
private let dictionaryEncoded: UInt8 = 8
private let fieldBytes = 32, mostNamed = 20

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

  /// A column that there is not ends the instance.
  subscript(_ column: Int) -> Field {
    if column < 0 || column >= columns { panic("there is no column " + Text(number: column)) }
    var at = 0
    for _ in 0..<column { at = after(at) }
    let raw = field(at)
    return Field(name: raw.text(0), format: raw.text(8), flags: raw.load(fromByteOffset: 16, as: UInt8.self))
  }

  /// The index of a column of one of the formats in a list such as "lg": `l` int64, `g` float64, `u` utf8 … What is wrong with the
  /// name stands at `pointer` in the configuration; where that is "", it is told of the column.
  func index(_ name: Text, _ formats: Text, _ pointer: Text = "") throws(StageError) -> Int {
    var column = 0, at = 0
    while at < count {
      if field(at).text(0) == name {
        let format = field(at).text(8), dictionary = field(at).load(fromByteOffset: 16, as: UInt8.self) & dictionaryEncoded != 0
        if format.count == 1, formats.contains(format[0]), !dictionary { return column }
        // The values of a dictionary follow its keys.
        let found = dictionary ? "a dictionary of " + typeName(field(at + 1).text(8)) : typeName(format)
        throw .schema(name, "expected " + expected(formats) + ", found " + found)
      }
      column += 1
      at = after(at)
    }
    if pointer.count == 0 { throw .schema(name, "there is no such column; " + names) }
    throw .config(pointer, "there is no column `" + name + "`", names)
  }

  /// The columns that there are, of many only the first.
  private var names: Text {
    if count == 0 { return "the input has no columns" }
    var named = field(0).text(0), column = 1, at = after(0)
    while at < count && column < mostNamed {
      named = named + "`, `" + field(at).text(0)
      column += 1
      at = after(at)
    }
    let more = columns - column
    return "the columns are `" + named + "`" + (more > 0 ? " and " + Text(number: more) + " more" : "")
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

  private func name(_ input: Int) -> Text { (inputs.unsafelyUnwrapped + input * inputBytes).text(0) }
  func schema(_ input: Int) -> Schema { Schema(inputs.unsafelyUnwrapped + input * inputBytes + 8) }

  /// The schema that all inputs have.
  func sameSchema() throws(StageError) -> Schema {
    if inputsCount == 0 { throw .config("", "the stage has no input") }
    let first = schema(0)
    for input in 0..<inputsCount where !schema(input).same(first) {
      throw .schema("", "input `" + name(input) + "` has other columns than `" + name(0) + "`")
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

/// A type as a person reads it, with its letter: `int64 (l)`.
func typeName(_ format: Text) -> Text {
  var letters = 0
  while letters < format.count && format[letters] != UInt8(ascii: ":") { letters += 1 }
  var at = 0
  func word() -> Text {
    let from = at
    while typeNames[at] != UInt8(ascii: " ") { at += 1 }
    at += 1
    return Text(typeNames.start.map { $0 + from }, at - 1 - from)
  }
  while at < typeNames.count {
    let key = word(), name = word()
    if key == Text(format.start, letters) { return name + " (" + format + ")" }
  }
  return "a type of the format `" + format + "`"
}

/// `int64 (l) or float64 (g)`, of a list such as "lg".
private func expected(_ formats: Text) -> Text {
  var all: Text = ""
  for at in 0..<formats.count {
    let one = typeName(Text(formats.start.map { $0 + at }, 1))
    all = at == 0 ? one : all + " or " + one
  }
  return all
}

/// Words for the letters of the Arrow C data interface; what stands behind a colon is a parameter.
private let typeNames: Text = """
  n null b bool c int8 C uint8 s int16 S uint16 i int32 I uint32 l int64 L uint64 e float16 f float32 g float64 \
  z binary Z large_binary vz binary_view u utf8 U large_utf8 vu utf8_view tdD date32 tdm date64 \
  tts time32[s] ttm time32[ms] ttu time64[us] ttn time64[ns] tDs duration[s] tDm duration[ms] tDu duration[us] tDn duration[ns] \
  tiM interval[year_month] tiD interval[day_time] tin interval[month_day_nano] \
  tss timestamp[s] tsm timestamp[ms] tsu timestamp[us] tsn timestamp[ns] d decimal w fixed_size_binary \
  +l list +L large_list +vl list_view +vL large_list_view +w fixed_size_list +s struct +m map +r run_end_encoded +ud union +us union \

  """
