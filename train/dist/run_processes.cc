#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "base/error.h"
#include "dist/launch.h"

namespace openclip::train {
namespace {

constexpr const char* kReportVariable = "OPENCLIP_TRAIN_REPORT_FD";

volatile sig_atomic_t g_signal = 0;  // a handler may touch nothing else

void note_signal(int number) { g_signal = number; }

struct Child {
  pid_t pid = -1;
  int report = -1;  // read end of a pipe
};

[[noreturn]] void cannot_start() {
  throw IoError(fmt::format("cannot start the processes: {}", std::strerror(errno)));
}

// An empty file for the processes' store.
std::string store_path() {
  const char* folder = std::getenv("TMPDIR");
  std::string path =
      fmt::format("{}/openclip-train-XXXXXX", folder != nullptr && *folder != 0 ? folder : "/tmp");
  const int fd = ::mkstemp(path.data());
  if (fd < 0) throw IoError(fmt::format("cannot create {}: {}", path, std::strerror(errno)));
  ::close(fd);
  return path;
}

Child start(int rank, int count, const std::string& store, char** argv) {
  int ends[2];
  if (::pipe(ends) != 0) cannot_start();
  ::fcntl(ends[0], F_SETFD, FD_CLOEXEC);
  const pid_t parent = ::getpid();
  const pid_t pid = ::fork();
  if (pid < 0) cannot_start();
  if (pid > 0) {
    ::close(ends[1]);
    return {pid, ends[0]};
  }
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);  // no orphans, however the parent ends
  if (::getppid() != parent) ::_exit(1);
  ::setpgid(0, 0);  // Ctrl-C reaches the parent alone, which passes it on
  ::setenv("RANK", std::to_string(rank).c_str(), 1);
  ::setenv("LOCAL_RANK", std::to_string(rank).c_str(), 1);
  ::setenv("LOCAL_WORLD_SIZE", std::to_string(count).c_str(), 1);
  ::setenv("WORLD_SIZE", std::to_string(count).c_str(), 1);
  ::setenv("OPENCLIP_TRAIN_STORE", store.c_str(), 1);
  ::setenv(kReportVariable, std::to_string(ends[1]).c_str(), 1);
  ::execv("/proc/self/exe", argv);
  ::_exit(127);
}

std::string read_all(int fd) {
  std::string text;
  char buffer[4096];
  ssize_t got;
  while ((got = ::read(fd, buffer, sizeof buffer)) > 0)
    text.append(buffer, static_cast<size_t>(got));
  return text;
}

void signal_all(const std::vector<Child>& children, int number) {
  for (const Child& child : children)
    if (child.pid > 0) ::kill(child.pid, number);
}

std::string reason(const Child& child, int status) {
  if (WIFSIGNALED(status)) return fmt::format("was ended by signal {}", WTERMSIG(status));
  const std::string report = read_all(child.report);
  return report.empty() ? fmt::format("ended with exit code {}", WEXITSTATUS(status)) : report;
}

// A process that lost its peer may end before the peer is seen to be dead: that one is the cause.
void prefer_killed(std::vector<Child>& children, size_t& culprit, int& status) {
  if (WIFSIGNALED(status)) return;
  ::usleep(200'000);
  for (size_t rank = 0; rank < children.size(); ++rank) {
    int other = 0;
    if (children[rank].pid <= 0 || ::waitpid(children[rank].pid, &other, WNOHANG) <= 0) continue;
    children[rank].pid = -1;
    if (!WIFSIGNALED(other)) continue;
    culprit = rank;
    status = other;
  }
}

void stop_others(std::vector<Child>& children, size_t culprit, int status) {
  prefer_killed(children, culprit, status);
  std::fprintf(stderr,
               "openclip-train: process %zu of %zu: %s; the others were stopped, --resume latest "
               "goes on from the last checkpoint\n",
               culprit, children.size(), reason(children[culprit], status).c_str());
  signal_all(children, SIGKILL);
  for (Child& child : children)
    if (child.pid > 0) ::waitpid(child.pid, nullptr, 0);
}

// Waits for all; returns the exit code.
int supervise(std::vector<Child>& children) {
  for (size_t alive = children.size(); alive > 0;) {
    int status = 0;
    const pid_t pid = ::waitpid(-1, &status, 0);
    if (pid < 0 && errno != EINTR) return 1;
    if (pid < 0) signal_all(children, std::exchange(g_signal, 0));
    for (size_t rank = 0; pid > 0 && rank < children.size(); ++rank) {
      if (children[rank].pid != pid) continue;
      children[rank].pid = -1;
      --alive;
      if (WIFEXITED(status) && WEXITSTATUS(status) == 0) continue;
      stop_others(children, rank, status);
      return 1;
    }
  }
  return 0;
}

}  // namespace

bool is_started_process() { return std::getenv(kReportVariable) != nullptr; }

int run_processes(int count, char** argv) {
  struct sigaction action {};
  action.sa_handler = note_signal;  // no SA_RESTART: waitpid must return
  for (const int number : {SIGINT, SIGTERM}) ::sigaction(number, &action, nullptr);
  const std::string store = store_path();
  std::vector<Child> children;
  try {
    for (int rank = 0; rank < count; ++rank) children.push_back(start(rank, count, store, argv));
  } catch (...) {
    signal_all(children, SIGKILL);
    std::filesystem::remove(store);
    throw;
  }
  const int code = supervise(children);
  for (const Child& child : children) ::close(child.report);
  std::filesystem::remove(store);
  return code;
}

bool report_failure(const std::string& problem) {
  const char* text = std::getenv(kReportVariable);
  if (text == nullptr) return false;
  return ::write(std::atoi(text), problem.data(), problem.size()) ==
         static_cast<ssize_t>(problem.size());
}

}  // namespace openclip::train
