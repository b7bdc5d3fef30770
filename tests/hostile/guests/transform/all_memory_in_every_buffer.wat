;; Answers with eight thousand buffers, each of which is all of its memory.
;; shows: process output_bytes

(func (export "parshall:stage/transform@0.1.0#process") (param $input i32) (param $rows i64) (param $frame i32) (result i32)
  (local $at i32)
  (call $drop_frame (local.get $frame))
  (i32.store (i32.const 1228) (i32.const 0x8000))
  (i32.store (i32.const 1232) (i32.const 8000))
  (local.set $at (i32.const 0x8000))
  (loop $more
    (i32.store offset=4 (local.get $at) (i32.const 0x20000))
    (local.set $at (i32.add (local.get $at) (i32.const 8)))
    (br_if $more (i32.lt_u (local.get $at) (i32.const 0x17a00))))
  (i32.const 1240))
