;; Declares a hundred ways out.
;; shows: open malformed

(func (export "parshall:stage/transform@0.1.0#open") (param i32 i32 i32 i32 i32 i32 i32) (result i32)
  (i32.store (i32.const 1164) (i32.const 8192)) (i32.store (i32.const 1168) (i32.const 100)) (i32.const 1160))
