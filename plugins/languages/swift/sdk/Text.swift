// Strings of the contract: UTF-8 that somebody else holds. Swift's own would bring Unicode's tables along.

struct Text: Hashable, ExpressibleByStringLiteral {
  let start: UnsafePointer<UInt8>?
  let count: Int

  init(_ start: UnsafePointer<UInt8>?, _ count: Int) {
    self.start = start
    self.count = count
  }
  init(stringLiteral text: StaticString) { self.init(text.utf8Start, text.utf8CodeUnitCount) }

  /// A whole number as it is written, until the call has returned.
  init(number: Int) {
    let digits = allocate(UInt8.self, 20)
    var at = 20, left = number.magnitude
    repeat {
      at -= 1
      digits[at] = UInt8(ascii: "0") + UInt8(left % 10)
      left /= 10
    } while left > 0
    if number < 0 {
      at -= 1
      digits[at] = UInt8(ascii: "-")
    }
    self.init(digits.baseAddress.map { UnsafePointer($0 + at) }, 20 - at)
  }

  /// One byte of it.
  subscript(_ at: Int) -> UInt8 { start.unsafelyUnwrapped[at] }

  static func == (a: Text, b: Text) -> Bool {
    if a.count != b.count { return false }
    for at in 0..<a.count where a[at] != b[at] { return false }
    return true
  }

  func hash(into hasher: inout Hasher) { hasher.combine(bytes: UnsafeRawBufferPointer(start: start, count: count)) }

  func contains(_ byte: UInt8) -> Bool {
    for at in 0..<count where self[at] == byte { return true }
    return false
  }

  /// Two texts as one, until the call has returned.
  static func + (a: Text, b: Text) -> Text {
    let joined = allocate(UInt8.self, a.count + b.count)
    for at in 0..<a.count { joined[at] = a[at] }
    for at in 0..<b.count { joined[a.count + at] = b[at] }
    return Text(joined.baseAddress, joined.count)
  }

  /// A copy for as long as the instance lives.
  var kept: Text {
    let copy = UnsafeMutablePointer<UInt8>.allocate(capacity: count)
    for at in 0..<count { copy[at] = self[at] }
    return Text(copy, count)
  }
}
