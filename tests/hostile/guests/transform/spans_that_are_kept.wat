;; Begins spans and ends none.
;; shows: process handles

(import "parshall:stage/telemetry@0.1.0" "[constructor]span" (func $span (param i32 i32) (result i32)))
(func (export "parshall:stage/transform@0.1.0#process") (param $input i32) (param $rows i64) (param $frame i32) (result i32)
  (loop $more (drop (call $span (i32.const 1024) (i32.const 7))) (br $more)) (unreachable))
