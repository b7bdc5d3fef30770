/**
 * Everything that a stage in AssemblyScript needs. A stage is a class that extends `Stage`, and
 *
 *     parshall.transform(new Hello());
 *
 * at the end of `stage.ts` makes it the component. There are no exceptions: a call that fails says why (`fail…`, which answers
 * false) and answers false.
 *
 * Memory: columns that were read and made last until the call has returned; objects of the language live as they always do.
 */
export { Output, reject } from "./answer";
export { Config } from "./config";
export { failConfig, failData, failInternal, failSchema } from "./errors";
export { Column, Frame, Read, Texts } from "./frame";
export { Field, Input, NULLABLE, Schema, port, portOf, sameSchema } from "./schema";
export { Description, Stage, transform } from "./stage";
