;; Counts under a new name every time: labels without bound.
;; shows: never
;; dropped

(import "parshall:stage/telemetry@0.1.0" "count" (func $count (param i32 i32 i64)))
(func (export "parshall:stage/transform@0.1.0#process") (param $input i32) (param $rows i64) (param $frame i32) (result i32)
  (local $n i32)
  (loop $more
    (i32.store (i32.const 2048) (i32.or (local.get $n) (i32.const 0x40404040)))
    (i32.store8 (i32.const 2048) (i32.add (i32.const 65) (i32.rem_u (local.get $n) (i32.const 26))))
    (i32.store8 (i32.const 2049) (i32.add (i32.const 65) (i32.rem_u (i32.div_u (local.get $n) (i32.const 26)) (i32.const 26))))
    (i32.store16 (i32.const 2050) (i32.const 0x4141))
    (call $count (i32.const 2048) (i32.const 4) (i64.const 1))
    (local.set $n (i32.add (local.get $n) (i32.const 1)))
    (br_if $more (i32.lt_u (local.get $n) (i32.const 676))))
  (call $drop_frame (local.get $frame)) (i32.const 1240))
