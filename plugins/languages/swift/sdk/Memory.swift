// Memory of a call, and values in it as the contract lays them.

@_extern(c, "parshall_allocate") func allocateBytes(_ size: Int) -> UnsafeMutableRawPointer
@_extern(c, "parshall_call_is_over") func callIsOver()

/// Room until the call has returned; what is in it is not said.
func allocate<T>(_ type: T.Type, _ count: Int) -> UnsafeMutableBufferPointer<T> {
  let start = allocateBytes(count * MemoryLayout<T>.stride).bindMemory(to: T.self, capacity: count)
  return UnsafeMutableBufferPointer(start: start, count: count)
}

extension UnsafeMutableRawPointer {
  func put<T: BitwiseCopyable>(_ value: T, _ at: Int) { storeBytes(of: value, toByteOffset: at, as: T.self) }
  /// A list: where it begins and how many there are.
  func put(_ start: UnsafeRawPointer?, _ count: Int, _ at: Int) {
    put(UInt32(UInt(bitPattern: start)), at)
    put(UInt32(count), at + 4)
  }
  func put(_ text: Text, _ at: Int) { put(text.start, text.count, at) }
}

extension UnsafeRawPointer {
  func pointer(_ at: Int) -> UnsafeRawPointer? { UnsafeRawPointer(bitPattern: UInt(load(fromByteOffset: at, as: UInt32.self))) }
  func count(_ at: Int) -> Int { Int(load(fromByteOffset: at, as: UInt32.self)) }
  func text(_ at: Int) -> Text { Text(pointer(at)?.assumingMemoryBound(to: UInt8.self), count(at + 4)) }
}
