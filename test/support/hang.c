/*
 * Calls that do not return, as with a volume or a name server that does not answer. Loaded with LD_PRELOAD.
 *
 * While the file HANG_SWITCH exists, open() of a path below HANG_FOLDER and getaddrinfo() of any name but localhost
 * block the thread that calls them. A signal that ends the thread ends the call, as with most real volumes.
 * At other times, collector.example is 127.0.0.1.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <netdb.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int is_on(void) {
  const char *file = getenv("HANG_SWITCH");
  return file != NULL && access(file, F_OK) == 0;
}

static void hang(void) {
  while (is_on()) usleep(10000);
}

static void hang_below_folder(const char *path) {
  const char *folder = getenv("HANG_FOLDER");
  if (folder != NULL && strncmp(path, folder, strlen(folder)) == 0 && is_on()) hang();
}

#define OPEN(name)                                                  \
  int name(const char *path, int flags, ...) {                      \
    va_list arguments;                                              \
    va_start(arguments, flags);                                     \
    mode_t mode = va_arg(arguments, mode_t);                        \
    va_end(arguments);                                              \
    hang_below_folder(path);                                        \
    int (*real)(const char *, int, ...) = dlsym(RTLD_NEXT, #name);  \
    return real(path, flags, mode);                                 \
  }

OPEN(open)
OPEN(open64)

int getaddrinfo(const char *node, const char *service, const struct addrinfo *hints, struct addrinfo **result) {
  if (node != NULL && strcmp(node, "localhost") != 0 && is_on()) hang();
  int (*real)(const char *, const char *, const struct addrinfo *, struct addrinfo **) =
      dlsym(RTLD_NEXT, "getaddrinfo");
  int is_collector = node != NULL && strcmp(node, "collector.example") == 0;
  return real(is_collector ? "127.0.0.1" : node, service, hints, result);
}
