/* Delays every fsync and fdatasync of a process by the microseconds that stand, as a 32-bit number, in the file named by
 * FSYNC_DELAY_FILE: one process can be healthy and slow in turns. For LD_PRELOAD. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

static volatile uint32_t *delay_us;
static int (*real_fsync)(int);
static int (*real_fdatasync)(int);

__attribute__((constructor)) static void begin(void) {
  real_fsync = (int (*)(int))dlsym(RTLD_NEXT, "fsync");
  real_fdatasync = (int (*)(int))dlsym(RTLD_NEXT, "fdatasync");
  const char *path = getenv("FSYNC_DELAY_FILE");
  int file = path == NULL ? -1 : open(path, O_RDONLY | O_CLOEXEC);
  if (file < 0) abort();
  void *page = mmap(NULL, sizeof *delay_us, PROT_READ, MAP_SHARED, file, 0);
  if (page == MAP_FAILED) abort();
  close(file);
  delay_us = page;
}

static void delay(void) {
  uint32_t us = *delay_us;
  if (us > 0) usleep(us);
}

int fsync(int file) {
  delay();
  return real_fsync(file);
}

int fdatasync(int file) {
  delay();
  return real_fdatasync(file);
}
