;; Imports `telemetry`, which nobody granted.
;; shows: open ungranted
;; nothing granted

(import "parshall:stage/telemetry@0.1.0" "count" (func $use (param i32 i32 i64)))
