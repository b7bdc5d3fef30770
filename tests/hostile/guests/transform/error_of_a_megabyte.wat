;; Reports an error of a megabyte: it is cut.
;; shows: process data

(memory (export "memory") 40)
(func (export "parshall:stage/transform@0.1.0#process") (param $input i32) (param $rows i64) (param $frame i32) (result i32)
  (call $drop_frame (local.get $frame))
  (memory.fill (i32.const 65536) (i32.const 0x61) (i32.const 1048576))
  (i32.store (i32.const 2048) (i32.const 1)) (i32.store (i32.const 2052) (i32.const 2)) (i32.store (i32.const 2056) (i32.const 65536))
  (i32.store (i32.const 2060) (i32.const 1048576)) (i32.const 2048))
