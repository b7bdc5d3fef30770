;; Answers with a buffer far longer than its values.
;; shows: next malformed

(func (export "parshall:stage/extract@0.1.0#next") (result i32)
  (i32.store (i32.const 1380) (i32.const 4000)) (i32.const 1280))
