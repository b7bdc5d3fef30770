;; Never comes back from `open`.
;; shows: open fuel

(func (export "parshall:stage/transform@0.1.0#open") (param i32 i32 i32 i32 i32 i32 i32) (result i32)
  (loop $forever (br $forever)) (unreachable))
