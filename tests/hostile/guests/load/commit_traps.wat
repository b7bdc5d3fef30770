;; Traps in `commit`.
;; shows: commit unreachable

(func (export "parshall:stage/load@0.1.0#commit") (param i32) (result i32)
  (unreachable))
