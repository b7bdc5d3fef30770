/* What Embedded Swift asks of a machine: memory, an end with words, and some bytes to hash with.
 *
 * Memory of a call is cut from chunks that are kept for the next call. What Swift allocates comes in blocks of powers of two, each
 * after 16 bytes that say which; what is freed is kept for the next of its size. */
#include <stddef.h>
#include <stdint.h>

typedef struct chunk {
    struct chunk *next;
    size_t size, used, pad;
} chunk;

static chunk *of_call, *of_heap;

static chunk *new_chunk(size_t need) {
    size_t pages = (need + sizeof(chunk) + 0xffff) >> 16, before = __builtin_wasm_memory_grow(0, pages);
    if (before == (size_t)-1) __builtin_trap();
    chunk *made = (chunk *)(before << 16);
    *made = (chunk){ NULL, pages << 16, sizeof(chunk), 0 };
    return made;
}

static void *cut(chunk **chunks, size_t size) {
    size = (size + 15) & ~(size_t)15;
    chunk *at = *chunks;
    while (at && at->size - at->used < size) at = at->next;
    if (!at) {
        at = new_chunk(size);
        at->next = *chunks;
        *chunks = at;
    }
    at->used += size;
    return (char *)at + at->used - size;
}

void *parshall_allocate(size_t size) { return cut(&of_call, size); }

void parshall_call_is_over(void) {
    for (chunk *at = of_call; at; at = at->next) at->used = sizeof(chunk);
}

typedef struct block {
    struct block *next;
    uint32_t power;
} block;

static block *blocks[32];

/* Alignment beyond 16 is not asked for by anything that a stage has. */
int posix_memalign(void **to, size_t alignment, size_t size) {
    if (alignment > 16) __builtin_trap();
    uint32_t power = 32 - (uint32_t)__builtin_clz((uint32_t)(size < 16 ? 31 : size + 15));
    block *at = blocks[power];
    if (at) blocks[power] = at->next;
    else at = cut(&of_heap, (size_t)1 << power);
    at->power = power;
    *to = (char *)at + 16;
    return 0;
}

void free(void *at) {
    if (!at) return;
    block *freed = (block *)((char *)at - 16);
    freed->next = blocks[freed->power];
    blocks[freed->power] = freed;
}

/* The host finds the text in memory, after the mark `parshall:trapped`, which is put together only here. */
_Noreturn void parshall_panic(const char *message, size_t length) {
    static volatile struct {
        uint64_t mark[2];
        const char *at;
        size_t length;
    } words __attribute__((aligned(8)));
    words.mark[0] = 0x6c6c616873726170u;
    words.mark[1] = 0x646570706172743au;
    words.at = message;
    words.length = length;
    __builtin_trap();
}

/* Hashes have no seed: the same rows are to cost the same. */
void arc4random_buf(void *to, size_t size) {
    for (size_t i = 0; i < size; i++) ((char *)to)[i] = 0;
}
