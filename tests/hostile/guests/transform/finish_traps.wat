;; Traps in `finish`.
;; shows: finish unreachable

(func (export "parshall:stage/transform@0.1.0#finish") (result i32)
  (unreachable))
