#include "dist/launch.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <map>
#include <string>

#include "base/error.h"

namespace openclip::train {
namespace {

using Values = std::map<std::string, std::string>;

// Sets variables for the life of the object; all others that a launcher sets are absent.
class Environment {
 public:
  explicit Environment(const Values& values) {
    for (const char* name : kNames) ::unsetenv(name);
    for (const auto& [name, value] : values) ::setenv(name.c_str(), value.c_str(), 1);
  }
  ~Environment() {
    for (const char* name : kNames) ::unsetenv(name);
  }

 private:
  static constexpr const char* kNames[] = {"RANK",
                                           "WORLD_SIZE",
                                           "LOCAL_RANK",
                                           "LOCAL_WORLD_SIZE",
                                           "MASTER_ADDR",
                                           "MASTER_PORT",
                                           "OMPI_COMM_WORLD_RANK",
                                           "OMPI_COMM_WORLD_SIZE",
                                           "SLURM_PROCID",
                                           "SLURM_NTASKS",
                                           "SLURM_LOCALID",
                                           "SLURM_STEP_NODELIST",
                                           "PMI_RANK",
                                           "PMI_SIZE",
                                           "OPENCLIP_TRAIN_STORE",
                                           "SLURM_NODELIST",
                                           "TORCHELASTIC_USE_AGENT_STORE",
                                           "TORCHELASTIC_RESTART_COUNT",
                                           "SLURM_LAUNCH_NODE_IPADDR"};
};

TEST(LaunchTest, AloneWithoutALauncher) {
  const Environment none(Values{});
  EXPECT_EQ(detect_launch("").size, 1);
  // Inside a Slurm job, but not started by srun.
  const Values inside = {{"SLURM_NTASKS", "8"}};
  const Environment job(inside);
  EXPECT_EQ(detect_launch("").size, 1);
}

TEST(LaunchTest, Torchrun) {
  const Values values = {{"RANK", "3"},
                         {"WORLD_SIZE", "8"},
                         {"LOCAL_RANK", "1"},
                         {"LOCAL_WORLD_SIZE", "2"},
                         {"MASTER_ADDR", "node"},
                         {"MASTER_PORT", "1234"},
                         {"TORCHELASTIC_USE_AGENT_STORE", "True"},
                         {"TORCHELASTIC_RESTART_COUNT", "2"}};
  const Environment set(values);
  const Launch launch = detect_launch("");
  EXPECT_EQ(launch.rank, 3);
  EXPECT_EQ(launch.size, 8);
  EXPECT_EQ(launch.local_rank, 1);
  EXPECT_EQ(launch.local_size, 2);
  EXPECT_EQ(launch.host, "node");
  EXPECT_EQ(launch.port, 1234);
  EXPECT_TRUE(launch.store_is_elsewhere);
  EXPECT_EQ(launch.attempt, 2);
}

TEST(LaunchTest, SlurmMeetsAtItsFirstNode) {
  for (const auto& [list, host] : std::map<std::string, std::string>{
           {"node[07-10],x3", "node07"}, {"a,b", "a"}, {"n[3,5]", "n3"}, {"single", "single"}}) {
    const Values values = {
        {"SLURM_PROCID", "0"}, {"SLURM_NTASKS", "2"}, {"SLURM_STEP_NODELIST", list}};
    const Environment set(values);
    EXPECT_EQ(detect_launch("").host, host) << list;
    EXPECT_EQ(detect_launch("").port, 29500);
    EXPECT_EQ(detect_launch("tcp://there:80").host, "there");
  }
}

TEST(LaunchTest, NonsenseIsRefused) {
  for (const std::map<std::string, std::string>& values :
       {std::map<std::string, std::string>{{"RANK", "x"}, {"WORLD_SIZE", "2"}},
        {{"RANK", "2"}, {"WORLD_SIZE", "2"}},
        {{"RANK", "0"}, {"WORLD_SIZE", "2"}},  // and nowhere to meet
        {{"RANK", "0"}, {"WORLD_SIZE", "2"}, {"MASTER_ADDR", "a"}, {"MASTER_PORT", "70000"}}}) {
    const Environment set(values);
    EXPECT_THROW(detect_launch(""), InvalidArgument);
  }
  const Values nowhere = {{"RANK", "0"}, {"WORLD_SIZE", "2"}};
  const Environment set(nowhere);
  EXPECT_THROW(detect_launch("host:80"), InvalidArgument);
}

}  // namespace
}  // namespace openclip::train
