;; Traps in `describe`.
;; shows: describe unreachable

(func (export "parshall:stage/load@0.1.0#describe") (result i32)
  (unreachable))
