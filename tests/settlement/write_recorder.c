/* Records what a process does to the files of one folder, as the kernel is asked for it.
 *
 * Preloaded (LD_PRELOAD) before libc: each write, truncation, sync and removal of a file under
 * RECORDED_FOLDER is made first and then appended to RECORDED_LOG, as
 *
 *     kind, path length (2 bytes), offset (8), length (8), path, the bytes written
 *
 * in the order of the calls; integers in the byte order of the machine. Kinds: W write, T truncate
 * to `offset`, S sync, U unlink, A an acknowledgement: whatever is written to a file named `ack`.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

static int log_fd = -1;
static const char *folder;

__attribute__((constructor)) static void begin(void) {
    const char *path = getenv("RECORDED_LOG");
    folder = getenv("RECORDED_FOLDER");
    if (path && folder) log_fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
}

static void note(char kind, const char *path, uint64_t offset, const void *data, uint64_t length) {
    if (log_fd < 0 || strncmp(path, folder, strlen(folder)) != 0) return;
    const char *name = strrchr(path, '/');
    if (kind == 'W' && name && strcmp(name, "/ack") == 0) kind = 'A';
    uint16_t path_length = (uint16_t)strlen(path);
    struct iovec parts[] = {
        {&kind, 1}, {&path_length, 2}, {&offset, 8}, {&length, 8},
        {(void *)path, path_length}, {(void *)data, data ? length : 0}};
    ssize_t expected = 19 + path_length + (ssize_t)(data ? length : 0);
    if (writev(log_fd, parts, 6) != expected) abort();
}

static void note_fd(char kind, int fd, uint64_t offset, const void *data, uint64_t length) {
    char link[64], path[PATH_MAX];
    if (log_fd < 0 || fd == log_fd) return;
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t size = readlink(link, path, sizeof path - 1);
    if (size < 0) return;
    path[size] = 0;
    note(kind, path, offset, data, length);
}

#define REAL(name) \
    static __typeof__(&name) real; \
    if (!real) real = (__typeof__(&name))dlsym(RTLD_NEXT, #name)

ssize_t pwrite64(int fd, const void *data, size_t length, off64_t offset) {
    REAL(pwrite64);
    ssize_t done = real(fd, data, length, offset);
    if (done > 0) note_fd('W', fd, (uint64_t)offset, data, (uint64_t)done);
    return done;
}

ssize_t pwrite(int fd, const void *data, size_t length, off_t offset) {
    return pwrite64(fd, data, length, offset);
}

ssize_t write(int fd, const void *data, size_t length) {
    REAL(write);
    ssize_t done = real(fd, data, length);
    if (done > 0) note_fd('W', fd, UINT64_MAX, data, (uint64_t)done);
    return done;
}

int ftruncate64(int fd, off64_t length) {
    REAL(ftruncate64);
    int failed = real(fd, length);
    if (!failed) note_fd('T', fd, (uint64_t)length, NULL, 0);
    return failed;
}

int ftruncate(int fd, off_t length) { return ftruncate64(fd, length); }

int fsync(int fd) {
    REAL(fsync);
    int failed = real(fd);
    if (!failed) note_fd('S', fd, 0, NULL, 0);
    return failed;
}

int fdatasync(int fd) {
    REAL(fdatasync);
    int failed = real(fd);
    if (!failed) note_fd('S', fd, 0, NULL, 0);
    return failed;
}

int unlink(const char *path) {
    REAL(unlink);
    int failed = real(path);
    if (!failed) note('U', path, 0, NULL, 0);
    return failed;
}
