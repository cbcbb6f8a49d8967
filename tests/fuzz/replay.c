/* replay.c - runs a fuzz entry over its corpus in the normal test run: every file as it is, every prefix of it, and a fixed
 * number of small changes. Deterministic: a failure names the file and the change, and happens again.
 *
 * Usage: replay_<entry> CORPUS-DIRECTORY
 */
#include "tests/fuzz/fuzz.h"

#include <dirent.h>
#include <stdio.h>

#define INPUT_MAX KiB(256)
#define PREFIXES_MAX 512
#define CHANGES 64

static const char *current_file;
static size_t inputs, passed, failed;

/* A copy of exactly that size, so that a read past the end is seen. */
static void run(const uint8_t *data, size_t len)
{
    uint8_t *copy = malloc(len > 0 ? len : 1);

    assert(copy != NULL);
    if (len > 0)
        memcpy(copy, data, len);
    fuzz_accepted = false;
    LLVMFuzzerTestOneInput(len > 0 ? copy : NULL, len);
    free(copy);
    inputs++;
}

static uint32_t next_random(uint32_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 17;
    *state ^= *state << 5;
    return *state;
}

/* Bytes that parsers care about, put in place of others. */
static void run_changes(const uint8_t *data, size_t len)
{
    static const uint8_t marks[] = { 0, '"', '\\', '\r', '\n', ' ', ':', '/', '%', '{', '[', '-', '0', '9', '.', '=', 0x7f, 0x80, 0xc3, 0xff };
    uint32_t state = 0x9e3779b9u ^ (uint32_t)len;
    uint8_t *copy;

    if (len == 0 || (copy = malloc(len)) == NULL)
        return;
    for (int i = 0; i < CHANGES; i++) {
        memcpy(copy, data, len);
        for (uint32_t n = 1 + next_random(&state) % 3; n > 0; n--)
            copy[next_random(&state) % len] = marks[next_random(&state) % sizeof(marks)];
        run(copy, len);
    }
    free(copy);
}

static void check_verdict(const char *name)
{
    bool want_ok = strncmp(name, "ok-", 3) == 0, want_bad = strncmp(name, "bad-", 4) == 0;

    if ((want_ok && !fuzz_accepted) || (want_bad && fuzz_accepted)) {
        fprintf(stderr, "%s was %s\n", name, fuzz_accepted ? "accepted" : "refused");
        failed++;
    } else {
        passed++;
    }
}

static void replay_file(const char *dir, const char *name)
{
    char path[4096];
    static uint8_t data[INPUT_MAX];

    snprintf(path, sizeof(path), "%s/%s", dir, name);
    FILE *f = fopen(path, "rb");
    if (f == NULL) {
        perror(path);
        failed++;
        return;
    }
    size_t len = fread(data, 1, sizeof(data), f);
    fclose(f);
    current_file = name;
    run(data, len);
    check_verdict(name);
    for (size_t n = 0; n < len && n < PREFIXES_MAX; n++)
        run(data, n);
    run_changes(data, len);
}

/* An assertion ends the program by SIGABRT; meson shows that, and this the file. */
static void say_where(void)
{
    if (current_file != NULL)
        fprintf(stderr, "while replaying %s\n", current_file);
}

static int visible(const struct dirent *e)
{
    return e->d_name[0] != '.';
}

int main(int argc, char **argv)
{
    struct dirent **names;
    int count = argc == 2 ? scandir(argv[1], &names, visible, alphasort) : -1;

    if (count <= 0) {
        fprintf(stderr, "usage: %s CORPUS-DIRECTORY (with at least one file)\n", argv[0]);
        return 2;
    }
    atexit(say_where);
    for (int i = 0; i < count; i++) {
        replay_file(argv[1], names[i]->d_name);
        free(names[i]);
    }
    free(names);
    current_file = NULL;
    printf("%zu inputs made of %d files\n%zu passed, %zu failed\n", inputs, count, passed, failed);
    return failed == 0 ? 0 : 1;
}
