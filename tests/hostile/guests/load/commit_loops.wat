;; Never comes back from `commit`.
;; shows: commit fuel

(func (export "parshall:stage/load@0.1.0#commit") (param i32) (result i32)
  (loop $forever (br $forever)) (unreachable))
