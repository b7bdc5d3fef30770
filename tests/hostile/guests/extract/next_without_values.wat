;; Announces rows and has no values.
;; shows: next malformed

(func (export "parshall:stage/extract@0.1.0#next") (result i32)
  (i32.store (i32.const 1332) (i32.const 0)) (i32.const 1280))
