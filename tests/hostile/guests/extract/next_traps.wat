;; Traps in `next`.
;; shows: next unreachable

(func (export "parshall:stage/extract@0.1.0#next") (result i32)
  (unreachable))
