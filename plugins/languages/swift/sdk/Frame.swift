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

  subscript(_ row: Int) -> Bool {
    guard let bits else { return true }
    return bits[row >> 3] >> UInt8(row & 7) & 1 != 0
  }
}

/// A column of numbers. What was read is the stage's own, to be worked on in place.
struct Column<T> {
  var values: UnsafeMutableBufferPointer<T>
  var validity = Validity()
}

/// A column of strings.
struct Texts {
  let offsets: UnsafeBufferPointer<Int32>
  let bytes: UnsafePointer<UInt8>?
  var validity = Validity()

  subscript(_ row: Int) -> Text {
    let from = Int(offsets[row])
    return Text(bytes.map { $0 + from }, Int(offsets[row + 1]) - from)
  }
}

/// Columns that have crossed; take them in the order in which they were asked for.
struct Read {
  fileprivate var node: UnsafeRawPointer
  fileprivate var buffer: UnsafeRawPointer

  private mutating func begin() -> (length: Int, Validity) {
    defer { node += nodeBytes }
    let validity = next()
    let nulls = Int(node.load(fromByteOffset: 8, as: UInt64.self))
    let bits = validity.count == 0 ? nil : validity.baseAddress?.assumingMemoryBound(to: UInt8.self)
    return (Int(node.load(as: UInt64.self)), Validity(bits: bits, nulls: nulls))
  }

  private mutating func next() -> UnsafeRawBufferPointer {
    defer { buffer += 8 }
    return UnsafeRawBufferPointer(start: buffer.pointer(0), count: buffer.count(4))
  }

  /// The next column, whose values are of this type.
  mutating func numbers<T>(_ type: T.Type) -> Column<T> {
    let (length, validity) = begin()
    let start = UnsafeMutableRawPointer(mutating: next().baseAddress)?.assumingMemoryBound(to: T.self)
    return Column(values: UnsafeMutableBufferPointer(start: start, count: length), validity: validity)
  }

  /// The next column, of strings.
  mutating func texts() -> Texts {
    let (length, validity) = begin()
    let offsets = UnsafeBufferPointer(start: next().baseAddress?.assumingMemoryBound(to: Int32.self), count: length + 1)
    return Texts(offsets: offsets, bytes: next().baseAddress?.assumingMemoryBound(to: UInt8.self), validity: validity)
  }
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
    return Read(node: raw.pointer(8) ?? raw, buffer: raw.pointer(16) ?? raw)
  }

  /// Gives it back to the host.
  func drop() { dropFrame(handle) }
}
