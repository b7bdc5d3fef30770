;; Never comes back from `next`.
;; shows: next fuel

(func (export "parshall:stage/extract@0.1.0#next") (result i32)
  (loop $forever (br $forever)) (unreachable))
