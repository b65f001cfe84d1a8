#include "dist/launch.h"

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <initializer_list>
#include <optional>
#include <string_view>

#include "base/error.h"

namespace openclip::train {
namespace {

constexpr uint16_t kDefaultPort = 29500;

std::optional<std::string> variable(std::initializer_list<const char*> names) {
  for (const char* name : names)
    if (const char* value = std::getenv(name); value != nullptr && *value != '\0') return value;
  return std::nullopt;
}

int number(const std::string& text, const char* what) {
  int value = -1;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  check_arg(error == std::errc() && end == text.data() + text.size() && value >= 0,
            "{}: '{}' is no number", what, text);
  return value;
}

uint16_t port_number(const std::string& text, const char* what) {
  const int port = number(text, what);
  check_arg(port > 0 && port < 65536, "{}: there is no port {}", what, port);
  return static_cast<uint16_t>(port);
}

// "node[07-10],x3" -> "node07": where Slurm runs the first process.
std::string first_host(const std::string& list) {
  const size_t bracket = list.find_first_of("[,");
  if (bracket == std::string::npos || list[bracket] == ',') return list.substr(0, bracket);
  const size_t end = list.find_first_of("-,]", bracket);
  return list.substr(0, bracket) + list.substr(bracket + 1, end - bracket - 1);
}

void read_url(const std::string& url, Launch& launch) {
  constexpr std::string_view kTcp = "tcp://";
  if (url.empty() || url == "env://") return;
  const size_t colon = url.rfind(':');
  check_arg(url.starts_with(kTcp) && colon > kTcp.size(),
            "--dist-url {}: must be tcp://HOST:PORT or env://", url);
  launch.host = url.substr(kTcp.size(), colon - kTcp.size());
  launch.port = port_number(url.substr(colon + 1), "--dist-url");
}

void find_meeting_point(const std::string& url, Launch& launch) {
  launch.port = kDefaultPort;
  if (const auto port = variable({"MASTER_PORT"})) launch.port = port_number(*port, "MASTER_PORT");
  launch.host =
      variable({"MASTER_ADDR", "SLURM_LAUNCH_NODE_IPADDR"})
          .value_or(first_host(variable({"SLURM_STEP_NODELIST", "SLURM_NODELIST"}).value_or("")));
  read_url(url, launch);
  check_arg(!launch.host.empty(),
            "{} processes need a place to meet: set MASTER_ADDR and MASTER_PORT, or give "
            "--dist-url tcp://HOST:PORT",
            launch.size);
  launch.store_is_elsewhere =
      variable({"TORCHELASTIC_USE_AGENT_STORE"}).value_or("False") == "True";
  launch.attempt = number(variable({"TORCHELASTIC_RESTART_COUNT"}).value_or("0"), "restart count");
}

}  // namespace

Launch detect_launch(const std::string& url) {
  Launch launch;
  // Slurm describes the whole job to single programs, too: SLURM_PROCID says that srun started one.
  const auto rank = variable({"RANK", "OMPI_COMM_WORLD_RANK", "PMI_RANK", "SLURM_PROCID"});
  const auto size = variable({"WORLD_SIZE", "OMPI_COMM_WORLD_SIZE", "PMI_SIZE", "SLURM_NTASKS"});
  if (!rank || !size) return launch;
  launch.rank = number(*rank, "the process's rank");
  launch.size = number(*size, "the number of processes");
  check_arg(launch.rank < launch.size, "rank {} of {} processes does not exist", launch.rank,
            launch.size);
  if (const auto local = variable(
          {"LOCAL_RANK", "OMPI_COMM_WORLD_LOCAL_RANK", "MPI_LOCALRANKID", "SLURM_LOCALID"}))
    launch.local_rank = number(*local, "the process's local rank");
  if (const auto local =
          variable({"LOCAL_WORLD_SIZE", "OMPI_COMM_WORLD_LOCAL_SIZE", "MPI_LOCALNRANKS"}))
    launch.local_size = std::max(1, number(*local, "the number of local processes"));
  if (launch.size == 1) return launch;
  if (const auto file = variable({"OPENCLIP_TRAIN_STORE"}))
    launch.store_file = *file;
  else
    find_meeting_point(url, launch);
  return launch;
}

}  // namespace openclip::train
