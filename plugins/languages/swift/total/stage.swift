// The reference stage `total`: how many values a column has and their sum, by key, in the order in which keys came.

/// A sum is of the column's type, int64 or float64; kept as its bits.
struct Group {
  let key: Text?
  var count: Int64 = 0
  var sum: Int64 = 0
}

private let noKey = UInt32.max
private let foreign: StageError = .internalError("these bytes are no snapshot of this stage")

struct Total: Transform {
  static let description = Description(
    name: "total-swift", version: "0.1.0", summary: "Counts and sums an int64 or float64 column, by key",
    configSchema: """
      {"type": "object", "required": ["value"], "additionalProperties": false, "properties": {
        "value": {"type": "string", "description": "An int64 or float64 column"},
        "key": {"type": "string", "description": "A utf8 column; without it, all rows are one group"}}}
      """)
  static let stateful = true

  var value = 0
  var key: Int? = nil
  var whole = false
  var told = false
  var groups: [Group] = []
  var places: [Text: Int] = [:]
  var keyless: Int? = nil

  mutating func open(_ settings: Settings, _ opening: Opening) throws(StageError) {
    let valueName = try settings.string("value"), keyName = try settings.optionalString("key")
    try settings.only("value", "key")
    let schema = try opening.sameSchema()
    value = try schema.index(valueName, "lg", "/value")
    let format = schema[value].format
    whole = format == "l"
    var fields = [Field(name: "count", format: "l"), Field(name: "sum", format: format)]
    if let keyName {
      key = try schema.index(keyName, "u", "/key")
      fields.insert(Field(name: keyName, format: "u", flags: nullable), at: 0)
    }
    if let bytes = opening.restore {
      try restore(bytes)
    } else if key == nil {
      _ = group(nil)
    }
    try opening.port("out", fields)
  }

  /// The place of a key's group, which keeps a copy of the key if it is new.
  mutating func group(_ key: Text?) -> Int {
    if let known = key == nil ? keyless : places[key!] { return known }
    let kept = key?.kept
    groups.append(Group(key: kept))
    if let kept { places[kept] = groups.count - 1 } else { keyless = groups.count - 1 }
    return groups.count - 1
  }

  mutating func process(_ frame: Frame) throws(StageError) {
    if let key {
      var read = try frame.read(value, key)
      let values = read.numbers(Int64.self), keys = read.texts()
      for row in 0..<frame.rows { add(values, row, group(keys.validity[row] ? keys[row] : nil)) }
    } else {
      var read = try frame.read(value)
      let values = read.numbers(Int64.self)
      for row in 0..<frame.rows { add(values, row, 0) }
    }
  }

  /// int64 and float64 are equally wide: which of them it is, is asked at the addition.
  mutating func add(_ values: Column<Int64>, _ row: Int, _ group: Int) {
    if !values.validity[row] { return }
    let sum = groups[group].sum, value = values[row]
    groups[group].count += 1
    groups[group].sum = whole ? sum &+ value : bits(number(sum) + number(value))
  }

  func number(_ bits: Int64) -> Double { Double(bitPattern: UInt64(bitPattern: bits)) }
  func bits(_ number: Double) -> Int64 { Int64(bitPattern: number.bitPattern) }

  mutating func finish() throws(StageError) -> Bool {
    if told || groups.isEmpty { return false }
    told = true
    let counts = allocate(Int64.self, groups.count), sums = allocate(Int64.self, groups.count)
    for at in 0..<groups.count {
      counts[at] = groups[at].count
      sums[at] = groups[at].sum
    }
    let output = Output()
    output.fresh(groups.count)
    if key != nil { output.add(keys()) }
    output.add(Column(values: counts))
    output.add(Column(values: sums))
    return true
  }

  /// The keys as a column of texts.
  func keys() -> Texts {
    var bytes = 0, nulls = 0
    for group in groups { bytes += group.key?.count ?? 0 }
    let validity = allocate(UInt8.self, (groups.count + 7) / 8), offsets = allocate(Int32.self, groups.count + 1)
    let text = allocate(UInt8.self, bytes)
    for at in 0..<validity.count { validity[at] = 0 }
    var end = 0
    offsets[0] = 0
    for at in 0..<groups.count {
      if let key = groups[at].key {
        validity[at >> 3] |= 1 << UInt8(at & 7)
        for byte in 0..<key.count { text[end + byte] = key[byte] }
        end += key.count
      } else {
        nulls += 1
      }
      offsets[at + 1] = Int32(end)
    }
    let bits = Validity(bits: UnsafePointer(validity.baseAddress), nulls: nulls)
    return Texts(offsets: UnsafeBufferPointer(offsets), bytes: UnsafePointer(text.baseAddress), validity: bits)
  }

  // === snapshots: a form that every language's `total` knows ===

  func kind() -> Text { ("total\u{1}" as Text) + (whole ? "l" : "g") + (key == nil ? "-" : "k") }

  func snapshot() throws(StageError) -> UnsafeRawBufferPointer {
    var size = 12
    for group in groups { size += 20 + (group.key?.count ?? 0) }
    let bytes = allocateBytes(size)
    var end = 0
    func put<T: BitwiseCopyable>(_ value: T) {
      bytes.put(value, end)
      end += MemoryLayout<T>.size
    }
    func put(_ text: Text) { for at in 0..<text.count { put(text[at]) } }
    put(kind())
    put(UInt32(groups.count))
    for group in groups {
      if key != nil { put(group.key.map { UInt32($0.count) } ?? noKey) }
      if let key = group.key { put(key) }
      put(group.count)
      put(group.sum)
    }
    return UnsafeRawBufferPointer(start: bytes, count: end)
  }

  mutating func restore(_ bytes: UnsafeRawBufferPointer) throws(StageError) {
    var at = 0
    func take<T: BitwiseCopyable>(_ type: T.Type) throws(StageError) -> T {
      if bytes.count - at < MemoryLayout<T>.size { throw foreign }
      defer { at += MemoryLayout<T>.size }
      return bytes.loadUnaligned(fromByteOffset: at, as: T.self)
    }
    func take(_ count: Int) throws(StageError) -> Text {
      if bytes.count - at < count { throw foreign }
      defer { at += count }
      return Text(bytes.baseAddress.map { ($0 + at).assumingMemoryBound(to: UInt8.self) }, count)
    }
    if try take(8) != kind() { throw foreign }
    for _ in 0..<(try take(UInt32.self)) {
      let length = key == nil ? noKey : try take(UInt32.self)
      let place = group(length == noKey ? nil : try take(Int(length)))
      groups[place].count = try take(Int64.self)
      groups[place].sum = try take(Int64.self)
    }
    if at != bytes.count { throw foreign }
  }
}
typealias Stage = Total
