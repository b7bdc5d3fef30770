;; Stands at a position of eight megabytes.
;; shows: next position

(memory (export "memory") 200)
(func (export "parshall:stage/extract@0.1.0#next") (result i32)
  (i32.store (i32.const 1336) (i32.const 65536)) (i32.store (i32.const 1340) (i32.const 8388608)) (i32.const 1280))
