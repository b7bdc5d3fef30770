;; Imports `state`, which nobody granted.
;; shows: open ungranted
;; nothing granted

(import "parshall:stage/state@0.1.0" "get" (func $use (param i32 i32 i32)))
