// Memory of a call, beside the language's own: cut from chunks that are kept for the next call.

const ALIGN: usize = 16;
/** A chunk begins with: the next one, its size, what is cut off. */
const HEAD: usize = 16;
const LEAST: usize = 1 << 16;

let chunks: usize = 0;

export function allocate(wanted: i32): usize {
  const size = (<usize>wanted + ALIGN - 1) & ~(ALIGN - 1);
  let chunk = chunks;
  while (chunk != 0 && load<usize>(chunk, 4) - load<usize>(chunk, 8) < size) chunk = load<usize>(chunk);
  if (chunk == 0) {
    const room = max(size + HEAD, LEAST);
    chunk = heap.alloc(room);
    store<usize>(chunk, chunks);
    store<usize>(chunk, room, 4);
    store<usize>(chunk, HEAD, 8);
    chunks = chunk;
  }
  const at = chunk + load<usize>(chunk, 8);
  store<usize>(chunk, at + size - chunk, 8);
  return at;
}

export function over(): void {
  for (let chunk = chunks; chunk != 0; chunk = load<usize>(chunk)) store<usize>(chunk, HEAD, 8);
}
