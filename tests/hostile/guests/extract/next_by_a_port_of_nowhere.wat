;; Puts out by a port that it did not declare.
;; shows: next malformed

(func (export "parshall:stage/extract@0.1.0#next") (result i32)
  (i32.store (i32.const 1296) (i32.const 5)) (i32.const 1280))
