;; Imports `tables`, which nobody granted.
;; shows: open ungranted
;; nothing granted

(import "parshall:stage/tables@0.1.0" "[static]reader.open" (func $use (param i32 i32 i32 i32 i32)))
