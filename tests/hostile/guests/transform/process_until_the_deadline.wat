;; Computes in `process` for as long as it may.
;; shows: process timeout
;; deadline

(func (export "parshall:stage/transform@0.1.0#process") (param $input i32) (param $rows i64) (param $frame i32) (result i32)
  (loop $forever (br $forever)) (unreachable))
