;; Announces a million million rows.
;; shows: next output_rows

(func (export "parshall:stage/extract@0.1.0#next") (result i32)
  (i64.store (i32.const 1312) (i64.const 1000000000000)) (i32.const 1280))
