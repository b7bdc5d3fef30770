;; Describes itself in a megabyte.
;; shows: describe malformed

(memory (export "memory") 40)
(data (i32.const 1072) "\00\00\01\00\00\00\10\00") ;; the documentation: a megabyte at 64 KiB
