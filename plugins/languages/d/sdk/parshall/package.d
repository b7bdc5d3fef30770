/**
 * Everything that a stage in D needs. A stage is a struct:
 *
 *     struct Hello {
 *         enum description = Description("hello", "0.1.0", "Doubles the column `n`");
 *         struct Config {}                                     // its fields are the settings
 *         bool open(ref const Config, ref const Opening);      // checks columns; declares ports
 *         bool process(ref Frame);                             // one batch; what is put out is an Output
 *         bool finish();                                       // optional: false when nothing is held any more
 *         const(ubyte)[] snapshot();                           // optional: it remembers; see Opening.restore
 *     }
 *     mixin Transform!Hello;
 *
 * It is "better C": no garbage collector, no exceptions. A call that cannot go on says why (`fail…`, which answers false) and
 * answers false.
 *
 * Memory: columns, settings and what `allocate` gives last until the call has returned, what `keep` gives as long as the instance.
 */
module parshall;

public import parshall.answer;
public import parshall.config;
public import parshall.errors;
public import parshall.exports;
public import parshall.frame;
public import parshall.memory;
public import parshall.schema;
