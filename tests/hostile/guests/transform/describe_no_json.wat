;; Describes a configuration by what is no JSON.
;; shows: describe malformed

(data (i32.const 1044) "{,")
