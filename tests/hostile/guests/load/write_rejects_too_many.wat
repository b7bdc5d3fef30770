;; Rejects more rows than it may.
;; shows: write rejections

(memory (export "memory") 40)
(func (export "parshall:stage/load@0.1.0#write") (param $input i32) (param $rows i64) (param $frame i32) (result i32)
  (call $drop_frame (local.get $frame)) (i32.store (i32.const 1420) (i32.const 65536)) (i32.store (i32.const 1424) (i32.const 100000)) (i32.const 1416))
