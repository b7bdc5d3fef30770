;; Remembers more than it may.
;; shows: snapshot snapshot

(memory (export "memory") 120)
(func (export "parshall:stage/load@0.1.0#snapshot") (result i32)
  (i32.store (i32.const 2056) (i32.const 6000000)) (i32.store (i32.const 2052) (i32.const 65536)) (i32.const 2048))
