;; Reads a file beside the folder that it was granted: it reports what it was told.
;; shows: process data

(import "parshall:stage/tables@0.1.0" "[static]reader.open" (func $open_reader (param i32 i32 i32 i32 i32)))
(data (i32.const 2048) "granted/../secret.csv")
(func (export "parshall:stage/transform@0.1.0#process") (param $input i32) (param $rows i64) (param $frame i32) (result i32)
  (call $drop_frame (local.get $frame))
  (call $open_reader (i32.const 2048) (i32.const 21) (i32.const 1044) (i32.const 2) (i32.const 2200))
  (if (i32.eqz (i32.load8_u (i32.const 2200))) (then (unreachable)))
  (i32.store (i32.const 2148) (i32.const 1)) (i32.store (i32.const 2152) (i32.const 2))
  (i32.store (i32.const 2156) (i32.load (i32.const 2208))) (i32.store (i32.const 2160) (i32.load (i32.const 2212)))
  (i32.const 2148))
