;; Answers with so many outputs that their bytes wrap around in 32 bits.
;; shows: process abi

(func (export "parshall:stage/transform@0.1.0#process") (param $input i32) (param $rows i64) (param $frame i32) (result i32)
  (call $drop_frame (local.get $frame))
  (i32.store (i32.const 1248) (i32.const 0x92492493))
  (i32.const 1240))
