// What comes in: batches that the host holds, and columns of them that were read.

@_extern(wasm, module: "parshall:stage/frames@0.1.0", name: "[method]frame.read") @_extern(c)
private func readFrame(_ frame: UInt32, _ columns: UnsafeRawPointer, _ count: Int, _ result: UnsafeMutableRawPointer)
@_extern(wasm, module: "parshall:stage/frames@0.1.0", name: "[resource-drop]frame") @_extern(c)
private func dropFrame(_ frame: UInt32)

let nodeBytes = 24

/// The rows that are not null: one bit a row, no bits where no row is null.
struct Validity {
  var bits: UnsafePointer<UInt8>? = nil
  var nulls = 0
  /// Known of a column that was read.
  var rows = Int.max

  /// Whether a row is not null. A row that there is not ends the instance.
  subscript(_ row: Int) -> Bool {
    within(row, rows)
    guard let bits else { return true }
    return bits[row >> 3] >> UInt8(row & 7) & 1 != 0
  }
}

/// A column of numbers. What was read is the stage's own, to be worked on in place.
struct Column<T> {
  /// All of them, unchecked.
  var values: UnsafeMutableBufferPointer<T>
  var validity = Validity()

  var rows: Range<Int> { 0..<values.count }

  /// The value of a row. A row that there is not ends the instance.
  subscript(_ row: Int) -> T {
    get {
      within(row, values.count)
      return values[row]
    }
    nonmutating set {
      within(row, values.count)
      values[row] = newValue
    }
  }
}

/// A column of strings.
struct Texts {
  let offsets: UnsafeBufferPointer<Int32>
  let bytes: UnsafePointer<UInt8>?
  var validity = Validity()

  /// The string of a row. A row that there is not ends the instance.
  subscript(_ row: Int) -> Text {
    within(row, offsets.count - 1)
    let from = Int(offsets[row])
    return Text(bytes.map { $0 + from }, Int(offsets[row + 1]) - from)
  }
}

/// Columns that have crossed; take them in the order in which they were asked for.
struct Read {
  fileprivate var node: UnsafeRawPointer
  fileprivate var buffer: UnsafeRawPointer
  /// Buffers that were not taken yet.
  fileprivate var left: Int

  private mutating func begin() -> (length: Int, Validity) {
    if left == 0 { panic("a column more than was read") }
    defer { node += nodeBytes }
    let validity = next()
    let nulls = Int(node.load(fromByteOffset: 8, as: UInt64.self))
    let bits = validity.count == 0 ? nil : validity.baseAddress?.assumingMemoryBound(to: UInt8.self)
    let rows = Int(node.load(as: UInt64.self))
    return (rows, Validity(bits: bits, nulls: nulls, rows: rows))
  }

  private mutating func next() -> UnsafeRawBufferPointer {
    if left == 0 { misread() }
    defer {
      buffer += 8
      left -= 1
    }
    return UnsafeRawBufferPointer(start: buffer.pointer(0), count: buffer.count(4))
  }

  /// The next buffer, as so many values.
  private mutating func values<T>(_ type: T.Type, _ count: Int) -> UnsafeMutableBufferPointer<T> {
    let buffer = next()
    if buffer.count < count * MemoryLayout<T>.stride { misread() }
    let start = UnsafeMutableRawPointer(mutating: buffer.baseAddress)?.assumingMemoryBound(to: T.self)
    return UnsafeMutableBufferPointer(start: start, count: count)
  }

  /// The next column, whose values are of this type.
  mutating func numbers<T>(_ type: T.Type) -> Column<T> {
    let (length, validity) = begin()
    return Column(values: values(type, length), validity: validity)
  }

  /// The next column, of strings.
  mutating func texts() -> Texts {
    let (length, validity) = begin()
    let offsets = UnsafeBufferPointer(values(Int32.self, length == 0 ? 0 : length + 1))
    return Texts(offsets: offsets, bytes: next().baseAddress?.assumingMemoryBound(to: UInt8.self), validity: validity)
  }
}

private func misread() -> Never {
  panic("a column was read as what it is not: texts have offsets and bytes, numbers so many bytes a value")
}

/// A batch that the host holds.
struct Frame {
  let handle: UInt32
  let input: Int
  let rows: Int

  /// Copies columns in, in one crossing.
  func read(_ columns: Int...) throws(StageError) -> Read {
    let indices = allocate(UInt32.self, columns.count), result = allocateBytes(24)
    for at in 0..<columns.count { indices[at] = UInt32(columns[at]) }
    readFrame(handle, indices.baseAddress.unsafelyUnwrapped, columns.count, result)
    if result.load(as: UInt8.self) != 0 { throw .data("the columns exceed the limit `read_bytes`") }
    let raw = UnsafeRawPointer(result)
    return Read(node: raw.pointer(8) ?? raw, buffer: raw.pointer(16) ?? raw, left: raw.count(20))
  }

  /// Gives it back to the host.
  func drop() { dropFrame(handle) }
}
