/*
 * Preloaded into a Roster on Linux: what it does to the files of its database (FAULT_FILE) fails as soon as, and as long
 * as, there is a control file (FAULT_CONTROL). That holds one line: which call ("write", "sync", "truncate"), on which
 * file ("db", "-wal", "-shm"), with which error number, and from the how manieth such call on: "sync -wal 5 2".
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct fault {
  char call[16], file[16];
  int number, nth;
};

static int calls;

static int read_fault(struct fault *fault) {
  FILE *control = fopen(getenv("FAULT_CONTROL"), "r");
  if (!control) {
    calls = 0;
    return 0;
  }
  int fields = fscanf(control, "%15s %15s %d %d", fault->call, fault->file, &fault->number, &fault->nth);
  fclose(control);
  return fields == 4;
}

/* What follows the database's name in a path; NULL for the path of another file. */
static const char *part_of(const char *path) {
  const char *database = getenv("FAULT_FILE");
  size_t length = strlen(database);
  if (strncmp(path, database, length) != 0) return NULL;
  return path[length] ? path + length : "db";
}

static int fails(const char *call, int fd) {
  int before = errno;
  char link[32], path[4096];
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  ssize_t length = readlink(link, path, sizeof path - 1);
  path[length < 0 ? 0 : length] = 0;
  const char *part = part_of(path);
  struct fault fault;
  int isFault = part && read_fault(&fault) && !strcmp(fault.call, call) && !strcmp(fault.file, part) &&
                ++calls >= fault.nth;
  errno = isFault ? fault.number : before;
  return isFault;
}

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

ssize_t write(int fd, const void *bytes, size_t size) {
  return fails("write", fd) ? -1 : REAL(write)(fd, bytes, size);
}

ssize_t pwrite(int fd, const void *bytes, size_t size, off_t at) {
  return fails("write", fd) ? -1 : REAL(pwrite)(fd, bytes, size, at);
}

ssize_t pwrite64(int fd, const void *bytes, size_t size, off64_t at) {
  return fails("write", fd) ? -1 : REAL(pwrite64)(fd, bytes, size, at);
}

int fsync(int fd) { return fails("sync", fd) ? -1 : REAL(fsync)(fd); }

int fdatasync(int fd) { return fails("sync", fd) ? -1 : REAL(fdatasync)(fd); }

int ftruncate(int fd, off_t size) { return fails("truncate", fd) ? -1 : REAL(ftruncate)(fd, size); }

int ftruncate64(int fd, off64_t size) { return fails("truncate", fd) ? -1 : REAL(ftruncate64)(fd, size); }

/* A file that may not be written takes no times either. */
int utimensat(int folder, const char *path, const struct timespec times[2], int flags) {
  struct fault fault;
  if (path && part_of(path) && read_fault(&fault) && (fault.number == EROFS || fault.number == EACCES)) {
    errno = fault.number;
    return -1;
  }
  return REAL(utimensat)(folder, path, times, flags);
}
