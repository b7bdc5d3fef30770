;; Declares a column whose name has two megabytes.
;; shows: open schema_bytes

(memory (export "memory") 60)
(func (export "parshall:stage/transform@0.1.0#open") (param i32 i32 i32 i32 i32 i32 i32) (result i32)
  (memory.fill (i32.const 65536) (i32.const 0x61) (i32.const 2097152)) (i32.store (i32.const 1104) (i32.const 65536)) (i32.store (i32.const 1108) (i32.const 2097152)) (i32.const 1160))
