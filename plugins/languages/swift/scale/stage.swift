// The reference stage `scale`: one column times a factor; all others stay where they are.

struct Scale: Transform {
  static let description = Description(
    name: "scale-swift", version: "0.1.0", summary: "Multiplies an int64 or float64 column by a factor",
    configSchema: """
      {"type": "object", "required": ["column"], "additionalProperties": false, "properties": {
        "column": {"type": "string", "description": "An int64 or float64 column"},
        "factor": {"type": "number", "default": 2, "description": "A whole number for int64, whose products wrap"},
        "nulls": {"enum": ["keep", "reject"], "default": "keep"}}}
      """)

  var column = 0
  var factor = 2.0
  var whole: Int64? = nil
  var rejects = false
  var reason: Text = ""

  mutating func open(_ settings: Settings, _ opening: Opening) throws(StageError) {
    let name = try settings.string("column")
    factor = try settings.number("factor", 2)
    rejects = try settings.word("nulls", "keep", "reject") == 1
    try settings.only("column", "factor", "nulls")
    let schema = try opening.sameSchema()
    column = try schema.index(name, "lg", "/column")
    if schema[column].format == "l" {
      whole = Int64(exactly: factor)
      if whole == nil { throw .config("/factor", "an int64 column wants a whole number") }
    }
    reason = ("`" + name + "` is null").kept
    try opening.port("out", schema)
  }

  func process(_ frame: Frame) throws(StageError) {
    var read = try frame.read(column)
    if let whole {
      scale(read.numbers(Int64.self)) { $0 &* whole }
    } else {
      scale(read.numbers(Double.self)) { $0 * factor }
    }
  }

  func scale<T>(_ read: Column<T>, _ times: (T) -> T) {
    let output = Output()
    var column = read
    if rejects && column.validity.nulls > 0 {
      output.keep(column.validity.bits, column.values.count)
      column = withoutNulls(column)
    }
    // In place: what was read is the stage's own.
    for row in column.rows { column[row] = times(column[row]) }
    output.replace(self.column, column)
  }

  /// Values of the rows that are not null move to the front; the others are refused.
  func withoutNulls<T>(_ column: Column<T>) -> Column<T> {
    var kept = 0
    for row in column.rows {
      if column.validity[row] {
        column[kept] = column[row]
        kept += 1
      } else {
        reject(row, reason)
      }
    }
    return Column(values: UnsafeMutableBufferPointer(rebasing: column.values[..<kept]))
  }
}
typealias Stage = Scale
