;; Traps in `write`.
;; shows: write unreachable

(func (export "parshall:stage/load@0.1.0#write") (param $input i32) (param $rows i64) (param $frame i32) (result i32)
  (unreachable))
