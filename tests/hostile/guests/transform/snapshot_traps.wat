;; Traps in `snapshot`.
;; shows: snapshot unreachable

(func (export "parshall:stage/transform@0.1.0#snapshot") (result i32)
  (unreachable))
