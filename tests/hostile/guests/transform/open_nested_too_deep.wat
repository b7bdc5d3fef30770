;; Declares a list of lists of lists, a hundred deep.
;; shows: open nesting

(data (i32.const 2048) "+l")
(func (export "parshall:stage/transform@0.1.0#open") (param i32 i32 i32 i32 i32 i32 i32) (result i32)
  (local $at i32)
  (local.set $at (i32.const 8192))
  (loop $more
    (i32.store offset=8 (local.get $at) (i32.const 2048)) (i32.store offset=12 (local.get $at) (i32.const 2))
    (i32.store offset=20 (local.get $at) (i32.const 1))
    (local.set $at (i32.add (local.get $at) (i32.const 32)))
    (br_if $more (i32.lt_u (local.get $at) (i32.const 11392))))
  (i32.store offset=8 (local.get $at) (i32.const 1049)) (i32.store offset=12 (local.get $at) (i32.const 1))
  (i32.store (i32.const 1144) (i32.const 8192)) (i32.store (i32.const 1148) (i32.const 101)) (i32.const 1160))
