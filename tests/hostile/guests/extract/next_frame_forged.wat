;; Answers with a frame that it was never given.
;; shows: next abi

(func (export "parshall:stage/extract@0.1.0#next") (result i32)
  (i32.store8 (i32.const 1304) (i32.const 0)) (i32.store (i32.const 1312) (i32.const 9)) (i32.const 1280))
