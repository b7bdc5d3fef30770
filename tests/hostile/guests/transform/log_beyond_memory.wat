;; Logs a text that lies beyond its memory.
;; shows: process abi

(import "parshall:stage/telemetry@0.1.0" "log" (func $log (param i32 i32 i32 i32 i32)))
(func (export "parshall:stage/transform@0.1.0#process") (param $input i32) (param $rows i64) (param $frame i32) (result i32)
  (call $log (i32.const 2) (i32.const 0x7fff0000) (i32.const 7) (i32.const 0) (i32.const 0)) (unreachable))
