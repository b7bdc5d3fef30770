;; Rejects a row when there is none any more.
;; shows: finish malformed

(func (export "parshall:stage/transform@0.1.0#finish") (result i32)
  (i32.store (i32.const 2052) (i32.const 1))
  (i32.store (i32.const 2064) (i32.const 2100)) (i32.store (i32.const 2068) (i32.const 1)) (i32.const 2048))
