;; Ends a span that it never began.
;; shows: process abi

(import "parshall:stage/telemetry@0.1.0" "[method]span.fail" (func $fail (param i32 i32 i32)))
(func (export "parshall:stage/transform@0.1.0#process") (param $input i32) (param $rows i64) (param $frame i32) (result i32)
  (call $fail (i32.const 5) (i32.const 1024) (i32.const 7)) (unreachable))
