;; Never comes back from its start function: it is never an instance.
;; shows: describe fuel

(func $begin (loop $forever (br $forever)))
(start $begin)
