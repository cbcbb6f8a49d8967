/* fail_malloc.c - preloaded into the real program: counts allocations of the whole process, libraries included, and fails the one it is told to.
 *
 * FAIL_MALLOC names a file of two 64-bit numbers, shared with the test: how many allocations there were, and after how many more one
 * fails (0: none). So a test can let the program get ready first, and then fail an allocation inside one operation.
 * FAIL_MALLOC_TRACE=1 prints where the failing one was asked for.
 */
#include <errno.h>
#include <execinfo.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t n, size_t size);
extern void *__libc_realloc(void *p, size_t size);

static int trace;
static struct shared { _Atomic int64_t count, left; } *shared;

__attribute__((constructor)) static void map_shared(void)
{
    const char *path = getenv("FAIL_MALLOC");
    int fd = path != NULL ? open(path, O_RDWR | O_CLOEXEC) : -1;

    if (fd < 0)
        return;
    void *p = mmap(NULL, sizeof(struct shared), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    close(fd);
    void *frames[4];
    trace = getenv("FAIL_MALLOC_TRACE") != NULL && backtrace(frames, 4) > 0;     /* its first use allocates */
    if (p != MAP_FAILED)
        shared = p;
}

static int fails(void)
{
    if (shared == NULL)
        return 0;
    atomic_fetch_add(&shared->count, 1);
    if (atomic_load(&shared->left) <= 0 || atomic_fetch_sub(&shared->left, 1) != 1)
        return 0;
    if (trace) {
        void *frames[40];
        backtrace_symbols_fd(frames, backtrace(frames, 40), STDERR_FILENO);
    }
    errno = ENOMEM;
    return 1;
}

void *malloc(size_t size) { return fails() ? NULL : __libc_malloc(size); }
void *calloc(size_t n, size_t size) { return fails() ? NULL : __libc_calloc(n, size); }
void *realloc(void *p, size_t size) { return fails() ? NULL : __libc_realloc(p, size); }
