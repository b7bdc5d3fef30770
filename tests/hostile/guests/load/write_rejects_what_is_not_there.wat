;; Rejects a row that there is not.
;; shows: write malformed

(func (export "parshall:stage/load@0.1.0#write") (param $input i32) (param $rows i64) (param $frame i32) (result i32)
  (call $drop_frame (local.get $frame)) (i32.store (i32.const 2048) (i32.const 99)) (i32.store (i32.const 1420) (i32.const 2048)) (i32.store (i32.const 1424) (i32.const 1)) (i32.const 1416))
