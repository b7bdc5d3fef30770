;; Never comes back from `snapshot`.
;; shows: snapshot fuel

(func (export "parshall:stage/load@0.1.0#snapshot") (result i32)
  (loop $forever (br $forever)) (unreachable))
