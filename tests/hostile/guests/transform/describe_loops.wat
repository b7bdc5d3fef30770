;; Never comes back from `describe`.
;; shows: describe fuel

(func (export "parshall:stage/transform@0.1.0#describe") (result i32)
  (loop $forever (br $forever)) (unreachable))
