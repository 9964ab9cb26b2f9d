/* Loaded before libc: remembers what was forced to the disk, so that a test can take away the rest.
 *
 * POWER_KEEP names a folder. Each fsync or fdatasync of a file copies it there, under its path with '%' for
 * '/'; names follow a rename, and go with an unlink: directories are taken to be journalled. Where that
 * folder holds a file named "fail", the next sync of a *.log file fails with EIO, once, and takes that file
 * away: as with a real disk, the sync after it succeeds, and says nothing of what was lost.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void kept_as(const char *path, char *kept) {
    char whole[PATH_MAX];
    if (!realpath(path, whole)) snprintf(whole, sizeof whole, "%s", path);
    int size = snprintf(kept, PATH_MAX, "%s/", getenv("POWER_KEEP"));
    for (const char *c = whole; *c && size < PATH_MAX - 1; c++) kept[size++] = *c == '/' ? '%' : *c;
    kept[size] = 0;
}

static int path_of(int fd, char *path) {
    char link[64];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t size = readlink(link, path, PATH_MAX - 1);
    if (size < 0) return -1;
    path[size] = 0;
    return 0;
}

static int fails(const char *path) {
    char order[PATH_MAX];
    size_t size = strlen(path);
    snprintf(order, sizeof order, "%s/fail", getenv("POWER_KEEP"));
    int (*forget)(const char *) = dlsym(RTLD_NEXT, "unlink");
    return size > 4 && !strcmp(path + size - 4, ".log") && !forget(order);
}

static int keep(int fd) {
    char path[PATH_MAX], kept[PATH_MAX], scratch[PATH_MAX + 8], block[65536];
    if (!getenv("POWER_KEEP") || path_of(fd, path)) return 0;
    if (fails(path)) {
        errno = EIO;
        return -1;
    }
    kept_as(path, kept);
    snprintf(scratch, sizeof scratch, "%s.%d", kept, (int)gettid());
    int from = open(path, O_RDONLY | O_CLOEXEC), to = open(scratch, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    ssize_t size;
    while (from >= 0 && to >= 0 && (size = read(from, block, sizeof block)) > 0)
        if (write(to, block, size) != size) abort();
    if (from >= 0) close(from);
    if (to >= 0) close(to);
    int (*name)(const char *, const char *) = dlsym(RTLD_NEXT, "rename");
    return name(scratch, kept);
}

int fsync(int fd) { return keep(fd); }
int fdatasync(int fd) { return keep(fd); }

int rename(const char *old, const char *new) {
    char before[PATH_MAX], after[PATH_MAX];
    int (*real)(const char *, const char *) = dlsym(RTLD_NEXT, "rename");
    int (*forget)(const char *) = dlsym(RTLD_NEXT, "unlink");
    if (!getenv("POWER_KEEP")) return real(old, new);
    kept_as(old, before);
    int result = real(old, new);
    if (!result) {
        kept_as(new, after);
        if (real(before, after)) forget(after); /* never synced under its old name */
    }
    return result;
}

int unlink(const char *path) {
    char kept[PATH_MAX];
    int (*real)(const char *) = dlsym(RTLD_NEXT, "unlink");
    if (!getenv("POWER_KEEP")) return real(path);
    kept_as(path, kept);
    int result = real(path);
    if (!result) real(kept);
    return result;
}
