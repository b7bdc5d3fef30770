;; Asks for one column a million times at once.
;; shows: never

(func (export "parshall:stage/transform@0.1.0#process") (param $input i32) (param $rows i64) (param $frame i32) (result i32)
  (local $columns i32)
  (local.set $columns (i32.mul (memory.grow (i32.const 64)) (i32.const 65536)))
  (call $read (local.get $frame) (local.get $columns) (i32.const 1000000) (i32.const 2048))
  ;; It must be refused.
  (if (i32.eqz (i32.load8_u (i32.const 2048))) (then (unreachable)))
  (call $drop_frame (local.get $frame)) (i32.const 1240))
