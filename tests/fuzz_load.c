/*
 * fuzz_load.c - libFuzzer on load.
 *
 * The input is the body of a dump behind two bytes that choose what its head claims; the head and the checksum are
 * made to fit, for guessing them is no test. What loads must be written and loaded again, to the same bytes; then all
 * must be gone.
 */
#include <stdlib.h>
#include <string.h>

#include "store/check.h"
#include "store/compare.h"
#include "store/serial.h"
#include "store/serial_bytes.h"
#include "store/step.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void expect(bool is_true)
{
    if (!is_true)
        abort();
}

static char *frame_of(const uint8_t *data, size_t body, uint32_t objects, uint32_t depth)
{
    static const uint64_t no_key[2] = {0, 0};
    size_t len = SERIAL_HEAD + body;
    char *bytes = malloc(len + SERIAL_TAIL);

    expect(bytes != NULL);
    memcpy(bytes, serial_magic, sizeof serial_magic);
    serial_store(bytes + 8, SERIAL_VERSION, 4);
    serial_store(bytes + 12, objects, 4);
    serial_store(bytes + 16, depth, 4);
    serial_store(bytes + 20, 0, 4);
    serial_store(bytes + 24, body, 8);
    memcpy(bytes + SERIAL_HEAD, data, body);
    serial_store(bytes + len, siphash13(no_key, bytes, len), SERIAL_TAIL);
    return bytes;
}

static enum hd_err load(struct heap *heap, const char *bytes, size_t len, struct serial_loaded *loaded)
{
    heap_work_start(heap);
    return serial_load(heap, bytes, len, NULL, loaded);
}

static void check(struct heap *heap, struct obj *root)
{
    struct check *check = check_begin(heap);

    expect(check != NULL);
    if (root != NULL)
        check_root(check, root);
    check_step(check, heap->step);
    expect(check_end(check, NULL, NULL) == 0);
}

/* A work budget that ends is no fault of the graph: hashing tuples uses it up anew. */
static void go_round(struct heap *heap, const struct serial_loaded *loaded)
{
    struct serial_loaded second;
    struct serial_blob first_blob, second_blob;

    heap_work_start(heap);
    if (serial_dump(heap, loaded->root, UINT32_MAX, &first_blob) != HD_OK)
        return;
    if (load(heap, first_blob.bytes, first_blob.len, &second) == HD_OK) {
        heap_work_start(heap);
        if (serial_dump(heap, second.root, UINT32_MAX, &second_blob) == HD_OK) {
            expect(first_blob.len == second_blob.len);
            expect(memcmp(first_blob.bytes, second_blob.bytes, first_blob.len) == 0);
            serial_blob_free(heap, &second_blob);
        }
        serial_undo(heap, &second);
    }
    serial_blob_free(heap, &first_blob);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct heap_config config = {.memory_limit = UINT64_C(256) << 20, .work_limit = 100000};
    struct heap *heap;
    struct step step;
    struct serial_loaded loaded;
    char *bytes;

    if (size < 3 || size > 4096)
        return 0;
    heap = heap_open(&config);
    expect(heap != NULL);
    step_init(&step, WEAK_COUNT);
    heap->step = &step;
    bytes = frame_of(data + 2, size - 2, data[0], data[1]);
    if (load(heap, bytes, SERIAL_HEAD + size - 2 + SERIAL_TAIL, &loaded) == HD_OK) {
        check(heap, loaded.root);
        go_round(heap, &loaded);
        serial_undo(heap, &loaded);
    }
    free(bytes);
    expect(step_run(heap, &step, SIZE_MAX));
    check(heap, NULL);
    for (unsigned type = 0; type < OBJ_TYPES; type++)
        expect(heap->live[type] == 0);
    heap_close(heap);
    return 0;
}
