// Errors of the contract. What a call throws is told to the host.

enum StageError: Error {
  /// The configuration is wrong at a JSON Pointer such as `/column`.
  case config(_ pointer: Text, _ message: Text)
  /// A column does not fit.
  case schema(_ column: Text, _ message: Text)
  /// The data is wrong, and no single row can be rejected for it.
  case data(_ message: Text)
  /// A defect of the stage itself.
  case internalError(_ message: Text)

  /// `stage-error`, in the contract's layout.
  func lay(_ to: UnsafeMutableRawPointer) {
    switch self {
    case .config(let pointer, let message):
      to.put(UInt8(0), 0)
      to.put(pointer, 4)
      to.put(message, 20)  // without an offset before and help behind
    case .schema(let column, let message):
      to.put(UInt8(1), 0)
      to.put(UInt8(1), 4)
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
