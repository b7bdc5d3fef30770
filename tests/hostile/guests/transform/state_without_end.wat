;; Keeps a new key every time: it is refused when its room is used up.
;; shows: never

(import "parshall:stage/state@0.1.0" "set" (func $set (param i32 i32 i32 i32 i32)))
(memory (export "memory") 40)
(func (export "parshall:stage/transform@0.1.0#process") (param $input i32) (param $rows i64) (param $frame i32) (result i32)
  (local $n i32)
  (loop $more
    (i32.store8 (i32.const 2048) (i32.add (i32.const 65) (i32.rem_u (local.get $n) (i32.const 26))))
    (i32.store8 (i32.const 2049) (i32.add (i32.const 65) (i32.rem_u (i32.div_u (local.get $n) (i32.const 26)) (i32.const 26))))
    (i32.store8 (i32.const 2050) (i32.add (i32.const 65) (i32.div_u (local.get $n) (i32.const 676))))
    (call $set (i32.const 2048) (i32.const 3) (i32.const 0) (i32.const 0) (i32.const 2100))
    (local.set $n (i32.add (local.get $n) (i32.const 1)))
    (br_if $more (i32.lt_u (local.get $n) (i32.const 10000))))
  ;; The last one must have been refused.
  (if (i32.eqz (i32.load8_u (i32.const 2100))) (then (unreachable)))
  (call $drop_frame (local.get $frame)) (i32.const 1240))
