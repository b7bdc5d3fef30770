;; Answers, and never comes back when it may clean up.
;; shows: process fuel

(func (export "cabi_post_parshall:stage/transform@0.1.0#process") (param i32)
  (loop $forever (br $forever)))
