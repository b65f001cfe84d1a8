#include "dist/connect.h"

#include <c10/util/Exception.h>
#include <fcntl.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <iostream>
#include <torch/csrc/distributed/c10d/FileStore.hpp>
#include <torch/csrc/distributed/c10d/PrefixStore.hpp>
#include <torch/csrc/distributed/c10d/ProcessGroupGloo.hpp>
#include <torch/csrc/distributed/c10d/TCPStore.hpp>

#include "base/error.h"
#include "dist/c10d_communicator.h"
#include "dist/nccl.h"

namespace openclip::train {
namespace {

constexpr std::chrono::minutes kTimeout{30};  // torch's default

c10::intrusive_ptr<c10d::Store> open_store(const Launch& launch) {
  if (!launch.store_file.empty())
    return c10::make_intrusive<c10d::FileStore>(launch.store_file, launch.size);
  c10d::TCPStoreOptions options;
  options.port = launch.port;
  options.isServer = launch.rank == 0 && !launch.store_is_elsewhere;
  options.numWorkers = static_cast<size_t>(launch.size);
  options.waitWorkers = !launch.store_is_elsewhere;
  auto store = c10::make_intrusive<c10d::TCPStore>(launch.host, options);
  return c10::make_intrusive<c10d::PrefixStore>(fmt::format("openclip/{}", launch.attempt),
                                                std::move(store));
}

// Gloo prints to stdout when it connects, where nobody expects it.
class QuietStdout {
 public:
  QuietStdout() : kept_(::dup(STDOUT_FILENO)) {
    const int nowhere = ::open("/dev/null", O_WRONLY | O_CLOEXEC);
    ::dup2(nowhere, STDOUT_FILENO);
    ::close(nowhere);
  }
  ~QuietStdout() {
    std::cout.flush();
    ::dup2(kept_, STDOUT_FILENO);
    ::close(kept_);
  }

 private:
  int kept_;
};

}  // namespace

std::unique_ptr<Communicator> connect_gloo(const c10::intrusive_ptr<c10d::Store>& store, int rank,
                                           int size, bool this_machine) {
  auto options = c10d::ProcessGroupGloo::Options::create();
  options->timeout = kTimeout;
  const char* interface = std::getenv("GLOO_SOCKET_IFNAME");
  options->devices.push_back(
      interface != nullptr ? c10d::ProcessGroupGloo::createDeviceForInterface(interface)
      : this_machine       ? c10d::ProcessGroupGloo::createDeviceForHostname("127.0.0.1")
                           : c10d::ProcessGroupGloo::createDefaultDevice());
  return std::make_unique<C10dCommunicator>(
      c10::make_intrusive<c10d::ProcessGroupGloo>(store, rank, size, options));
}

std::unique_ptr<Communicator> connect(const Launch& launch, const std::string& backend,
                                      const at::Device& device) {
  if (launch.size == 1) return std::make_unique<Communicator>();
  try {
    const c10::intrusive_ptr<c10d::Store> store = open_store(launch);
    const QuietStdout quiet;
    if (backend == "nccl" || (backend == "auto" && device.is_cuda()))
      return connect_nccl(store, launch.rank, launch.size, device);
    return connect_gloo(store, launch.rank, launch.size, !launch.store_file.empty());
  } catch (const c10::Error& error) {
    throw Error(fmt::format("process {} of {} cannot reach the others: {}", launch.rank,
                            launch.size, error.what_without_backtrace()));
  }
}

}  // namespace openclip::train
