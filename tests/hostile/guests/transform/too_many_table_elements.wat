;; Has a table of a million elements.
;; shows: describe table_elements

(table 1000000 funcref)
