// The configuration: the members of a JSON object that the host has found well-formed, looked up by name.

struct Settings {
  let json: Text

  func string(_ name: Text) throws(StageError) -> Text {
    if let said = try optionalString(name) { return said }
    throw .config("", "`" + name + "` is missing")
  }

  func optionalString(_ name: Text) throws(StageError) -> Text? {
    guard let value = find(name) else { return nil }
    if case .string(let said) = value { return said }
    throw .config(pointer(name), "expected a string")
  }

  func number(_ name: Text, _ otherwise: Double) throws(StageError) -> Double {
    guard let value = find(name) else { return otherwise }
    if case .number(let number) = value { return number }
    throw .config(pointer(name), "expected a number")
  }

  /// Which of some words it is; the first where nothing is said.
  func word(_ name: Text, _ words: Text...) throws(StageError) -> Int {
    guard let value = find(name) else { return 0 }
    if case .string(let said) = value {
      for at in 0..<words.count where words[at] == said { return at }
    }
    var expected: Text = "expected one of"
    for word in words { expected = expected + " `" + word + "`" }
    throw .config(pointer(name), expected)
  }

  /// Refuses settings of other names.
  func only(_ names: Text...) throws(StageError) {
    var rest = Scanner(json)
    while let (name, _) = rest.next() {
      var known = false
      for other in names where other == name { known = true }
      if !known { throw .config(pointer(name), "there is no such setting") }
    }
  }

  private func find(_ name: Text) -> Value? {
    var rest = Scanner(json)
    while let (found, value) = rest.next() {
      if found == name { return value }
    }
    return nil
  }

  /// The way to a setting as a JSON Pointer.
  private func pointer(_ name: Text) -> Text {
    let bytes = allocate(UInt8.self, 2 * name.count + 1)
    bytes[0] = UInt8(ascii: "/")
    var end = 1
    for at in 0..<name.count {
      let byte = name[at], escaped = byte == UInt8(ascii: "~") || byte == UInt8(ascii: "/")
      bytes[end] = escaped ? UInt8(ascii: "~") : byte
      end += 1
      if escaped {
        bytes[end] = UInt8(ascii: byte == UInt8(ascii: "~") ? "0" : "1")
        end += 1
      }
    }
    return Text(bytes.baseAddress, end)
  }
}

enum Value {
  case string(Text)
  case number(Double)
  case other
}

/// One member after the other.
struct Scanner {
  private let json: Text
  private var at = 0

  init(_ json: Text) { self.json = json }

  private var peek: UInt8 { at < json.count ? json[at] : 0 }
  private func stands(_ letter: Unicode.Scalar) -> Bool { peek == UInt8(ascii: letter) }
  private var digit: Bool { peek >= UInt8(ascii: "0") && peek <= UInt8(ascii: "9") }

  private mutating func blank() {
    while at < json.count && json[at] <= 0x20 { at += 1 }
  }

  mutating func next() -> (Text, Value)? {
    blank()
    at += 1  // `{` or `,`
    blank()
    if !stands("\"") { return nil }
    let name = quoted()
    blank()
    at += 1  // `:`
    blank()
    return (name, value())
  }

  private mutating func value() -> Value {
    defer { blank() }
    if stands("\"") { return .string(quoted()) }
    if stands("-") || digit { return .number(number()) }
    if stands("{") || stands("[") {
      nested()
    } else {
      while peek >= UInt8(ascii: "a") && peek <= UInt8(ascii: "z") { at += 1 }
    }
    return .other
  }

  private mutating func nested() {
    var depth = 0
    repeat {
      if stands("\"") {
        _ = quoted()
        continue
      }
      if stands("{") || stands("[") { depth += 1 }
      if stands("}") || stands("]") { depth -= 1 }
      at += 1
    } while depth > 0
  }

  private mutating func quoted() -> Text {
    let said = allocate(UInt8.self, json.count - at)
    var end = 0
    func add(_ byte: UInt8) {
      said[end] = byte
      end += 1
    }
    at += 1
    while !stands("\"") {
      if !stands("\\") {
        add(peek)
      } else {
        at += 1
        switch peek {
        case UInt8(ascii: "n"): add(0x0a)
        case UInt8(ascii: "t"): add(0x09)
        case UInt8(ascii: "r"): add(0x0d)
        case UInt8(ascii: "b"): add(0x08)
        case UInt8(ascii: "f"): add(0x0c)
        case UInt8(ascii: "u"):
          let code = codePoint()
          if code < 0x80 {
            add(UInt8(code))
          } else {
            if code < 0x800 {
              add(UInt8(0xc0 | code >> 6))
            } else {
              if code < 0x10000 {
                add(UInt8(0xe0 | code >> 12))
              } else {
                add(UInt8(0xf0 | code >> 18))
                add(UInt8(0x80 | code >> 12 & 63))
              }
              add(UInt8(0x80 | code >> 6 & 63))
            }
            add(UInt8(0x80 | code & 63))
          }
        default: add(peek)
        }
      }
      at += 1
    }
    at += 1
    return Text(said.baseAddress, end)
  }

  /// Of `uXXXX`, or of two of them that are one.
  private mutating func codePoint() -> UInt32 {
    let code = hex()
    guard code >= 0xd800, code < 0xdc00, at + 2 < json.count, json[at + 1] == UInt8(ascii: "\\") else { return code }
    at += 2
    return 0x10000 + ((code - 0xd800) << 10) + (hex() & 0x3ff)
  }

  private mutating func hex() -> UInt32 {
    var value: UInt32 = 0
    for _ in 0..<4 {
      at += 1
      value = value << 4 | UInt32(peek <= UInt8(ascii: "9") ? peek - UInt8(ascii: "0") : (peek | 32) - UInt8(ascii: "a") + 10)
    }
    return value
  }

  private mutating func number() -> Double {
    let negative = stands("-")
    if negative { at += 1 }
    var digits: UInt64 = 0, exponent = 0, fraction = false
    while digit || stands(".") {
      if stands(".") {
        fraction = true
      } else {
        let fits = digits < 922_337_203_685_477_580
        if fits { digits = digits * 10 + UInt64(peek - UInt8(ascii: "0")) }
        if fraction == fits { exponent += fits ? -1 : 1 }
      }
      at += 1
    }
    if peek | 32 == UInt8(ascii: "e") {
      at += 1
      let below = stands("-")
      if below || stands("+") { at += 1 }
      var written = 0
      while digit {
        if written < 10_000 { written = written * 10 + Int(peek - UInt8(ascii: "0")) }
        at += 1
      }
      exponent += below ? -written : written
    }
    let value = decimal(digits, exponent)
    return negative ? -value : value
  }
}

/// A number and what it lacks of the exact value: twice the digits, so that what is rounded at last is rounded once.
private struct Exact {
  var high: Double, low: Double

  static func * (a: Exact, b: Exact) -> Exact {
    let split = 134_217_729.0  // 2^27 + 1 (Veltkamp)
    let product = a.high * b.high
    let aHigh = a.high * split - (a.high * split - a.high), bHigh = b.high * split - (b.high * split - b.high)
    let aLow = a.high - aHigh, bLow = b.high - bHigh
    let crossed = (aHigh * bHigh - product) + aHigh * bLow + aLow * bHigh
    let rest = crossed + aLow * bLow + (a.high * b.low + a.low * b.high)
    let sum = product + rest
    return Exact(high: sum, low: rest - (sum - product))
  }
}

/// digits × 10^exponent. Exact to the last bit but for the far ends of the range, where it may be the neighbour.
private func decimal(_ digits: UInt64, _ exponent: Int) -> Double {
  if digits == 0 || exponent < -350 { return 0 }
  if exponent > 308 { return .infinity }
  let high = Double(digits)
  let value = Exact(high: high, low: high < 9_007_199_254_740_992 ? 0 : Double(Int64(bitPattern: digits &- UInt64(high))))
  var power = Exact(high: 1, low: 0), base = Exact(high: 10, low: 0), left = exponent.magnitude
  while left > 0 {
    if left & 1 == 1 { power = power * base }
    if left > 1 { base = base * base }
    left >>= 1
  }
  if exponent >= 0 {
    let product = value * power
    return product.high.isNaN ? value.high * power.high : product.high
  }
  let quotient = value.high / power.high
  let back = Exact(high: quotient, low: 0) * power
  return quotient + ((value.high - back.high) - back.low + value.low) / power.high
}
