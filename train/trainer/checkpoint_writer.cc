#include "trainer/checkpoint_writer.h"

#include <filesystem>
#include <memory>
#include <utility>

namespace openclip::train {

CheckpointWriter::CheckpointWriter(std::string folder, std::function<void(const std::string&)> done)
    : folder_(std::move(folder)), done_(std::move(done)) {}

CheckpointWriter::~CheckpointWriter() = default;  // the thread is joined

void CheckpointWriter::wait() {
  if (thread_.joinable()) thread_.join();
  if (failure_) std::rethrow_exception(std::exchange(failure_, nullptr));
}

void CheckpointWriter::write(std::string name, Snapshot snapshot, std::string replaces) {
  wait();
  thread_ = std::jthread([this, name = std::move(name), replaces = std::move(replaces),
                          held = std::make_shared<Snapshot>(std::move(snapshot))] {
    try {
      write_checkpoint(folder_, name, *held);
      if (!replaces.empty()) std::filesystem::remove_all(folder_ + "/" + replaces);
      done_(name);
    } catch (...) {
      failure_ = std::current_exception();
    }
  });
}

}  // namespace openclip::train
