;; Answers with a list of buffers that lies beyond its memory.
;; shows: process abi

(func (export "parshall:stage/transform@0.1.0#process") (param $input i32) (param $rows i64) (param $frame i32) (result i32)
  (call $drop_frame (local.get $frame))
  (i32.store (i32.const 1228) (i32.const 0x1fffc))
  (i32.store (i32.const 1232) (i32.const 1))
  (i32.const 1240))
