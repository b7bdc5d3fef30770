;; Logs the same line ten thousand times.
;; shows: never
;; dropped

(import "parshall:stage/telemetry@0.1.0" "log" (func $log (param i32 i32 i32 i32 i32)))
(func (export "parshall:stage/transform@0.1.0#process") (param $input i32) (param $rows i64) (param $frame i32) (result i32)
  (local $n i32)
  (loop $more
    (call $log (i32.const 2) (i32.const 1024) (i32.const 7) (i32.const 0) (i32.const 0))
    (local.set $n (i32.add (local.get $n) (i32.const 1)))
    (br_if $more (i32.lt_u (local.get $n) (i32.const 10000))))
  (call $drop_frame (local.get $frame)) (i32.const 1240))
