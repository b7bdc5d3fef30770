struct Hello: Transform {
  static let description = Description(name: "hello", version: "0.1.0", summary: "Doubles the column `n`")
  var n = 0

  mutating func open(_ settings: Settings, _ opening: Opening) throws(StageError) {
    try settings.only()
    let schema = try opening.sameSchema()
    n = try schema.index("n", "l")
    try opening.port("out", schema)
  }

  func process(_ frame: Frame) throws(StageError) {
    var read = try frame.read(n)
    let column = read.numbers(Int64.self)
    for row in column.rows { column[row] &*= 2 }
    Output().replace(n, column)
  }
}
typealias Stage = Hello
