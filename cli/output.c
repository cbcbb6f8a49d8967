/* output.c - opening and closing what an export is written to. */
#include "cli/output.h"

#include <fcntl.h>
#include <unistd.h>

FILE *output_open(const char *path)
{
    if (path == NULL)
        return stdout;
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
    return fd >= 0 ? fdopen(fd, "w") : NULL;
}

bool output_close(FILE *out)
{
    if (out == stdout)
        return fflush(out) == 0 && !ferror(out);
    bool good = fflush(out) == 0 && fsync(fileno(out)) == 0;
    return fclose(out) == 0 && good;
}
