// Errors of the contract. What a call throws is told to the host.

enum StageError: Error {
  /// The configuration is wrong at a JSON Pointer such as `/column`; `help` says what to do about it.
  case config(_ pointer: Text, _ message: Text, _ help: Text = "")
  /// A column does not fit; without a name, it is the whole schema.
  case schema(_ column: Text, _ message: Text)
  /// The data is wrong, and no single row can be rejected for it.
  case data(_ message: Text)
  /// A defect of the stage itself.
  case internalError(_ message: Text)

  /// `stage-error`, in the contract's layout.
  func lay(_ to: UnsafeMutableRawPointer) {
    switch self {
    case .config(let pointer, let message, let help):
      to.put(UInt8(0), 0)
      to.put(pointer, 4)
      to.put(message, 20)  // without an offset before
      to.put(UInt8(help.count > 0 ? 1 : 0), 28)
      to.put(help, 32)
    case .schema(let column, let message):
      to.put(UInt8(1), 0)
      to.put(UInt8(column.count > 0 ? 1 : 0), 4)
      to.put(column, 8)
      to.put(message, 16)
    case .data(let message):
      to.put(UInt8(2), 0)
      to.put(message, 4)
    case .internalError(let message):
      to.put(UInt8(4), 0)
      to.put(message, 4)
    }
  }
}

@_extern(c, "parshall_panic") private func end(_ message: UnsafePointer<UInt8>?, _ count: Int)

/// Ends the instance, with words that the host tells: for what cannot be.
func panic(_ message: Text) -> Never {
  end(message.start, message.count)
  fatalError()
}

/// Ends the instance where a row is none of so many.
@inline(__always) func within(_ row: Int, _ rows: Int) {
  if row < 0 || row >= rows { outOfBounds(row, rows) }
}

@inline(never) private func outOfBounds(_ row: Int, _ rows: Int) -> Never {
  panic("row " + Text(number: row) + " is out of bounds: there are " + Text(number: rows))
}
