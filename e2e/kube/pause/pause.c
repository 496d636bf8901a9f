// The first process of each pod: it holds the namespaces of the pod, and ends its orphans.
#include <signal.h>
#include <unistd.h>

static void leave(int signal) { (void)signal; _exit(0); }

int main(void) {
  struct sigaction ignored = {.sa_handler = SIG_DFL, .sa_flags = SA_NOCLDWAIT}; // the kernel reaps what is left to it
  sigaction(SIGCHLD, &ignored, 0);
  signal(SIGINT, leave);
  signal(SIGTERM, leave);
  for (;;) pause();
}
