// What goes out: batches, and rows that are refused.

private let outputBytes = 56, rejectionBytes = 12, sourceBytes = 8, mostOutputs = 16, mostMade = 64

/// What a call puts out and refuses, and the width of its input.
struct Answer {
  fileprivate var outputs: UnsafeMutableRawPointer? = nil
  fileprivate var outputsCount = 0
  fileprivate var rejections: UnsafeMutableRawPointer? = nil
  fileprivate var rejectionsCount = 0
  fileprivate var rejectionsRoom = 0

  func lay(_ to: UnsafeMutableRawPointer) {
    to.put(outputs, outputsCount, 0)
    to.put(rejections, rejectionsCount, 8)
  }
}

var answer = Answer()
var width = 0

/// Refuses a row; it must be among the rows of no output.
func reject(_ row: Int, _ reason: Text) {
  if answer.rejectionsCount == answer.rejectionsRoom {
    answer.rejectionsRoom = max(64, 2 * answer.rejectionsRoom)
    let more = allocateBytes(answer.rejectionsRoom * rejectionBytes)
    if let rejections = answer.rejections { more.copyMemory(from: rejections, byteCount: answer.rejectionsCount * rejectionBytes) }
    answer.rejections = more
  }
  let rejection = answer.rejections.unsafelyUnwrapped + answer.rejectionsCount * rejectionBytes
  rejection.put(UInt32(row), 0)
  rejection.put(reason, 4)
  answer.rejectionsCount += 1
}

/// One batch that leaves: every row and every column of the input, until told otherwise. At most 16 a call, and 64 made columns each.
struct Output {
  private let raw: UnsafeMutableRawPointer

  init(port: Int = 0) {
    let outputs = answer.outputs ?? allocateBytes(mostOutputs * outputBytes)
    if answer.outputsCount == mostOutputs { panic("more than 16 outputs in one call") }
    raw = outputs + answer.outputsCount * outputBytes
    answer.outputs = outputs
    answer.outputsCount += 1
    for at in 0..<outputBytes { raw.put(UInt8(0), at) }
    raw.put(UInt32(port), 0)
    raw.put(allocateBytes(mostMade * nodeBytes), 0, 36)
    raw.put(allocateBytes(mostMade * 3 * 8), 0, 44)
  }

  /// Only the rows whose bit is set; every made column has a value for each of those.
  func keep(_ bits: UnsafePointer<UInt8>?, _ rows: Int) {
    raw.put(UInt8(1), 8)
    raw.put(bits, (rows + 7) / 8, 16)
  }

  /// Rows that are not rows of the input: every column is added, in order.
  func fresh(_ rows: Int) {
    raw.put(UInt8(3), 8)
    raw.put(UInt64(rows), 16)
    each(mostMade)
  }

  private func each(_ room: Int) {
    raw.put(UInt8(1), 24)
    raw.put(allocateBytes(room * sourceBytes), 0, 28)
  }

  private func source(_ index: Int, made: Bool) {
    let source = UnsafeMutableRawPointer(mutating: UnsafeRawPointer(raw).pointer(28).unsafelyUnwrapped) + index * sourceBytes
    source.put(UInt8(made ? 1 : 0), 0)
    source.put(UInt32(index), 4)
  }

  /// A column instead of the input's.
  func replace<T>(_ index: Int, _ column: Column<T>) {
    if raw.load(fromByteOffset: 24, as: UInt8.self) == 0 {
      each(width)
      for input in 0..<width { source(input, made: false) }
      raw.put(UInt32(width), 32)
    }
    if index < 0 || index >= width { panic("there is no column " + Text(number: index)) }
    source(index, made: true)
    make(column)
  }

  /// The next column of fresh rows.
  func add<T>(_ column: Column<T>) {
    next()
    make(column)
  }

  /// The next column of fresh rows: strings.
  func add(_ column: Texts) {
    next()
    let rows = column.offsets.count - 1
    begin(rows, column.validity)
    buffer(column.offsets.baseAddress, column.offsets.count * 4)
    buffer(column.bytes, Int(column.offsets[rows]))
  }

  private func next() { source(count(32), made: true) }

  private func make<T>(_ column: Column<T>) {
    begin(column.values.count, column.validity)
    buffer(column.values.baseAddress, column.values.count * MemoryLayout<T>.stride)
  }

  private func begin(_ rows: Int, _ validity: Validity) {
    if UnsafeRawPointer(raw).count(40) == mostMade { panic("more than 64 made columns in one output") }
    let node = UnsafeMutableRawPointer(mutating: UnsafeRawPointer(raw).pointer(36).unsafelyUnwrapped) + count(40) * nodeBytes
    node.put(UInt64(rows), 0)
    node.put(UInt64(validity.nulls), 8)
    node.put(UInt32(0), 16)
    buffer(validity.bits, validity.nulls > 0 ? (rows + 7) / 8 : 0)
  }

  private func buffer(_ start: UnsafeRawPointer?, _ bytes: Int) {
    let buffers = UnsafeMutableRawPointer(mutating: UnsafeRawPointer(raw).pointer(44).unsafelyUnwrapped)
    buffers.put(start, bytes, count(48) * 8)
  }

  /// How many there were of what is counted there; now it is one more.
  private func count(_ at: Int) -> Int {
    let before = UnsafeRawPointer(raw).count(at)
    raw.put(UInt32(before + 1), at)
    return before
  }
}
