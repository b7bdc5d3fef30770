;; Answers `finish` for ever.
;; shows: finish finish_calls

(func (export "parshall:stage/transform@0.1.0#finish") (result i32)
  (i32.store (i32.const 2052) (i32.const 1)) (i32.const 2048))
