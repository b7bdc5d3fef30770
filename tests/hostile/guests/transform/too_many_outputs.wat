;; Answers with a hundred thousand batches.
;; shows: process outputs

(memory (export "memory") 120)
(func (export "parshall:stage/transform@0.1.0#process") (param $input i32) (param $rows i64) (param $frame i32) (result i32)
  (call $drop_frame (local.get $frame)) (i32.store (i32.const 1244) (i32.const 65536)) (i32.store (i32.const 1248) (i32.const 100000)) (i32.const 1240))
