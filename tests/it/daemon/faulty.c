/* A disk that fails: preloaded into the daemon, it lets some calls on its database fail.
 *
 * FAULTY_CALL   write or sync
 * FAULTY_ERROR  the number of the error
 * FAULTY_AT     the first such call that fails, from 1 on
 * FAULTY_TIMES  how many in a row do
 * FAULTY_MARK   a file that is made when the first has failed
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int fails(const char *call, int fd) {
  static atomic_long calls;
  const char *wanted = getenv("FAULTY_CALL");
  if (!wanted || strcmp(wanted, call)) return 0;
  char link[64], path[4096] = {0};
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  if (readlink(link, path, sizeof path - 1) < 0 || !strstr(path, "/x.db")) return 0;
  long first = atol(getenv("FAULTY_AT")), nth = atomic_fetch_add(&calls, 1) + 1;
  if (nth < first || nth >= first + atol(getenv("FAULTY_TIMES"))) return 0;
  close(open(getenv("FAULTY_MARK"), O_CREAT | O_WRONLY, 0600));
  errno = atoi(getenv("FAULTY_ERROR"));
  return 1;
}

ssize_t pwrite64(int fd, const void *bytes, size_t count, off64_t at) {
  ssize_t (*real)(int, const void *, size_t, off64_t) = dlsym(RTLD_NEXT, "pwrite64");
  return fails("write", fd) ? -1 : real(fd, bytes, count, at);
}

int fsync(int fd) {
  int (*real)(int) = dlsym(RTLD_NEXT, "fsync");
  return fails("sync", fd) ? -1 : real(fd);
}
