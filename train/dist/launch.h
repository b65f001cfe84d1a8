// Which process of a job this is, and how --nproc starts one.
#pragma once

#include <cstdint>
#include <string>

namespace openclip::train {

struct Launch {
  int rank = 0, size = 1;
  int local_rank = 0;  // among those of this machine: its GPU
  int local_size = 1;  // processes of this machine, which share its cores
  /// Where the processes meet: a file (--nproc), or the first process's address.
  std::string store_file, host;
  uint16_t port = 0;
  bool store_is_elsewhere = false;  // torchrun's agent listens there already
  int attempt = 0;                  // torchrun's restarts
};

/// Reads what --nproc, torchrun, Slurm or mpirun have put into the environment; a single process
/// where none has. `url` (--dist-url, "tcp://HOST:PORT" or "env://") names the meeting point where
/// the launcher does not. Throws: InvalidArgument for numbers that make no sense.
Launch detect_launch(const std::string& url);

/// Whether --nproc started this process.
bool is_started_process();

/// Starts this program `count` times with the same arguments and waits. When one process dies the
/// others are ended, and one line on stderr says why. Returns the exit code.
int run_processes(int count, char** argv);

/// Tells the process that started this one why it fails; false if none did.
bool report_failure(const std::string& problem);

}  // namespace openclip::train
