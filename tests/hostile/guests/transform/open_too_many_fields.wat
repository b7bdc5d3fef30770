;; Declares five thousand columns.
;; shows: open schema_fields

(memory (export "memory") 60)
(func (export "parshall:stage/transform@0.1.0#open") (param i32 i32 i32 i32 i32 i32 i32) (result i32)
  (i32.store (i32.const 1144) (i32.const 65536)) (i32.store (i32.const 1148) (i32.const 5000)) (i32.const 1160))
