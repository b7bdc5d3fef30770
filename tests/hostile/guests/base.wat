;; What every hostile guest is made of: imports, memory, answers that are well-formed. Parts stand between lines of `;; part NAME`; one
;; that the guest defines itself is left out.
;; part frames
(import "parshall:stage/frames@0.1.0" "[resource-drop]frame" (func $drop_frame (param i32)))
(import "parshall:stage/frames@0.1.0" "[method]frame.rows" (func $rows (param i32) (result i64)))
(import "parshall:stage/frames@0.1.0" "[method]frame.read" (func $read (param i32 i32 i32 i32)))
;; part memory
(memory (export "memory") 2)
;; part cabi_realloc
(func (export "cabi_realloc") (param $old i32) (param $had i32) (param $align i32) (param $size i32) (result i32)
  (local $at i32)
  (local.set $at (i32.and (i32.add (global.get $heap) (i32.const 15)) (i32.const -16)))
  (global.set $heap (i32.add (local.get $at) (local.get $size)))
  (local.get $at))
;; part data
(global $heap (mut i32) (i32.const 4096))
(global $called (mut i32) (i32.const 0))
(data (i32.const 1024) "hostile\00" "0.1.0\00\00\00" "out\00" "{}\00\00" "nl")
;; 1056: description. Name, version, summary, documentation, configuration schema, stateless.
(data (i32.const 1056) "\00\04\00\00\07\00\00\00" "\08\04\00\00\05\00\00\00" "\00\04\00\00\07\00\00\00" "\00\04\00\00\00\00\00\00" "\14\04\00\00\02\00\00\00" "\00\00\00\00")
;; 1104: the field `n`, nullable int64. 1136: the port `out`. 1160: it was opened.
(data (i32.const 1104) "\18\04\00\00\01\00\00\00" "\19\04\00\00\01\00\00\00" "\01\00\00\00\00\00\00\00" "\00\00\00\00\00\00\00\00")
(data (i32.const 1136) "\10\04\00\00\03\00\00\00" "\50\04\00\00\01\00\00\00" "\00\00\00\00\00\00\00\00")
(data (i32.const 1160) "\00\00\00\00" "\70\04\00\00\01\00\00\00")
;; 1184: an output of every row and column. 1240: an answer of it.
(data (i32.const 1240) "\00\00\00\00" "\a0\04\00\00\01\00\00\00" "\00\00\00\00\00\00\00\00")
;; 1280: a batch of three rows, made. 1344: its node. 1368: its buffers. 1408: no batch.
(data (i32.const 1280) "\00\00\00\00\00\00\00\00" "\01\00\00\00\00\00\00\00" "\00\00\00\00\00\00\00\00" "\01\00\00\00\00\00\00\00" "\03\00\00\00\00\00\00\00" "\40\05\00\00\01\00\00\00" "\58\05\00\00\02\00\00\00" "\00\00\00\00\00\00\00\00")
(data (i32.const 1344) "\03\00\00\00\00\00\00\00" "\00\00\00\00\00\00\00\00" "\00\00\00\00\00\00\00\00")
(data (i32.const 1368) "\00\00\00\00\00\00\00\00" "\68\05\00\00\18\00\00\00")
(data (i32.const 1384) "\01\00\00\00\00\00\00\00" "\02\00\00\00\00\00\00\00" "\03\00\00\00\00\00\00\00")
;; 1416: no row was refused. 1432: three rows were committed.
(data (i32.const 1432) "\00\00\00\00\00\00\00\00" "\03\00\00\00\00\00\00\00" "\00\04\00\00\07\00\00\00")
;; part #describe
(func (export "INTERFACE#describe") (result i32) (i32.const 1056))
;; part extract #open
(func (export "INTERFACE#open") (param i32 i32 i32 i32 i32) (result i32) (i32.const 1160))
;; part extract #next
(func (export "INTERFACE#next") (result i32)
  (global.set $called (i32.add (global.get $called) (i32.const 1)))
  (select (i32.const 1280) (i32.const 1408) (i32.eq (global.get $called) (i32.const 1))))
;; part transform #open
(func (export "INTERFACE#open") (param i32 i32 i32 i32 i32 i32 i32) (result i32) (i32.const 1160))
;; part transform #process
(func (export "INTERFACE#process") (param i32 i64 i32) (result i32) (call $drop_frame (local.get 2)) (i32.const 1240))
;; part transform #finish
(func (export "INTERFACE#finish") (result i32) (i32.const 1408))
;; part transform #snapshot
(func (export "INTERFACE#snapshot") (result i32) (i32.const 1408))
;; part load #open
(func (export "INTERFACE#open") (param i32 i32 i32 i32 i32 i32 i32) (result i32) (i32.const 1408))
;; part load #write
(func (export "INTERFACE#write") (param i32 i64 i32) (result i32) (call $drop_frame (local.get 2)) (i32.const 1416))
;; part load #commit
(func (export "INTERFACE#commit") (param i32) (result i32) (i32.const 1432))
;; part load #snapshot
(func (export "INTERFACE#snapshot") (result i32) (i32.const 1408))
