;; Asks for more memory than it may have before it does anything.
;; shows: describe memory

(memory (export "memory") 8000)
