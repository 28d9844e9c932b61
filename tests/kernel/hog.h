// A process that disturbs a run.
#pragma once

#include <sched.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>

namespace gilscope {

// A process that keeps one CPU busy while the object exists.
class Hog {
 public:
  explicit Hog(int cpu) {
    int ready[2];
    if (pipe(ready)) return;
    pid_ = fork();
    if (pid_ == 0) {
      prctl(PR_SET_PDEATHSIG, SIGKILL);
      cpu_set_t set;
      CPU_ZERO(&set);
      CPU_SET(cpu, &set);
      if (sched_setaffinity(0, sizeof(set), &set) || write(ready[1], "", 1) != 1) _exit(1);
      for (volatile unsigned spin = 0;;) spin = spin + 1;
    }
    close(ready[1]);
    char byte;
    works_ = read(ready[0], &byte, 1) == 1;
    close(ready[0]);
  }
  ~Hog() {
    if (pid_ <= 0) return;
    kill(pid_, SIGKILL);
    waitpid(pid_, nullptr, 0);
  }
  Hog(const Hog&) = delete;
  Hog& operator=(const Hog&) = delete;

  bool works() const { return works_; }

 private:
  pid_t pid_ = -1;
  bool works_ = false;
};

}  // namespace gilscope
