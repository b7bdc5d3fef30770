;; Answers with a bitmap of rows that ends a byte beyond its memory.
;; shows: process abi

(func (export "parshall:stage/transform@0.1.0#process") (param $input i32) (param $rows i64) (param $frame i32) (result i32)
  (call $drop_frame (local.get $frame))
  (i32.store8 (i32.const 1192) (i32.const 1))
  (i32.store (i32.const 1200) (i32.const 0x1ffff))
  (i32.store (i32.const 1204) (i32.const 2))
  (i32.const 1240))
