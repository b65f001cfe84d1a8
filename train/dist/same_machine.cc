#include "dist/same_machine.h"

#include <c10/core/GradMode.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <random>

namespace openclip::train {
namespace {

// Before the floats: tells that a file is the one that was meant.
struct Header {
  int64_t nonce;
};
constexpr size_t kHeaderBytes = 64;

class File {
 public:
  explicit File(int number) : number_(number) {}
  File(const File&) = delete;
  File& operator=(const File&) = delete;
  ~File() {
    if (number_ >= 0) ::close(number_);
  }
  int number() const { return number_; }
  explicit operator bool() const { return number_ >= 0; }

 private:
  int number_;
};

class Mapping {
 public:
  Mapping() = default;
  Mapping(const File& file, size_t bytes) : bytes_(bytes) {
    struct stat facts {};
    if (!file || ::fstat(file.number(), &facts) != 0 || static_cast<size_t>(facts.st_size) != bytes)
      return;
    void* memory = ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, file.number(), 0);
    if (memory != MAP_FAILED) memory_ = memory;
  }
  Mapping(Mapping&& other) noexcept
      : memory_(std::exchange(other.memory_, nullptr)), bytes_(other.bytes_) {}
  Mapping& operator=(Mapping&&) = delete;
  ~Mapping() {
    if (memory_ != nullptr) ::munmap(memory_, bytes_);
  }

  explicit operator bool() const { return memory_ != nullptr; }
  Header& header() const { return *static_cast<Header*>(memory_); }
  float* floats() const {
    return reinterpret_cast<float*>(static_cast<char*>(memory_) + kHeaderBytes);
  }

 private:
  void* memory_ = nullptr;
  size_t bytes_ = 0;
};

// A file of memory without a name; -1 where there is none. Its pages are reserved here and not at
// the first write, which would end the program where the machine has no more.
int anonymous_file(size_t bytes) {
  const int number = ::memfd_create("openclip sums", MFD_CLOEXEC);
  if (number < 0 || ::posix_fallocate(number, 0, static_cast<off_t>(bytes)) == 0) return number;
  ::close(number);
  return -1;
}

int64_t random_number() {
  std::random_device device;
  return std::uniform_int_distribution<int64_t>()(device);
}

}  // namespace

class SameMachineCommunicator::Buffer {
 public:
  Buffer(std::vector<Mapping> mappings, int64_t elements)
      : mappings_(std::move(mappings)), elements_(elements) {}

  /// Part `part` of the floats of process `owner`.
  at::Tensor part(int owner, int64_t part) const {
    const auto count = static_cast<int64_t>(mappings_.size());
    const int64_t begin = elements_ * part / count, end = elements_ * (part + 1) / count;
    return at::from_blob(floats(owner) + begin, {end - begin}, at::kFloat);
  }
  float* floats(int owner) const { return mappings_[static_cast<size_t>(owner)].floats(); }
  int64_t elements() const { return elements_; }

 private:
  std::vector<Mapping> mappings_;  // of every process, in order
  const int64_t elements_;
};

// All processes must be done with a step before one begins the next: adding up, copying, and
// whatever the caller does to the result.
class SameMachineCommunicator::Sum : public Pending {
 public:
  Sum(Communicator& messages, std::shared_ptr<const Buffer> buffer)
      : messages_(messages), buffer_(std::move(buffer)), filled_(say()) {}

  void wait() override {
    const c10::NoGradGuard no_grad;
    const int me = messages_.rank();
    filled_->wait();
    at::Tensor own = buffer_->part(me, me);
    for (int other = 0; other < messages_.size(); ++other)
      if (other != me) own.add_(buffer_->part(other, me));
    say()->wait();
    for (int other = 0; other < messages_.size(); ++other)
      if (other != me) buffer_->part(me, other).copy_(buffer_->part(other, other));
    say()->wait();
  }

 private:
  std::unique_ptr<Pending> say() { return messages_.all_reduce_async(at::zeros({1})); }

  Communicator& messages_;
  std::shared_ptr<const Buffer> buffer_;
  std::unique_ptr<Pending> filled_;
};

SameMachineCommunicator::SameMachineCommunicator(std::unique_ptr<Communicator> messages)
    : messages_(std::move(messages)) {}

SameMachineCommunicator::~SameMachineCommunicator() = default;

std::shared_ptr<SameMachineCommunicator::Buffer> SameMachineCommunicator::open_buffer(
    int64_t elements) {
  const size_t bytes = kHeaderBytes + static_cast<size_t>(elements) * sizeof(float);
  const File own(anonymous_file(bytes));
  Mapping own_mapping(own, bytes);
  const int64_t nonce = random_number();
  if (own_mapping) own_mapping.header().nonce = nonce;
  const at::Tensor places =
      messages_
          ->gather_rows(at::tensor({static_cast<int64_t>(::getpid()),
                                    static_cast<int64_t>(own.number()), nonce},
                                   at::kLong)
                            .view({1, 3}))
          .rows;
  std::vector<Mapping> mappings;
  bool complete = true;
  for (int owner = 0; owner < size(); ++owner) {
    if (owner == rank()) {
      mappings.push_back(std::move(own_mapping));
    } else {
      const auto* place = places.const_data_ptr<int64_t>() + 3 * owner;
      const File file(
          ::open(fmt::format("/proc/{}/fd/{}", place[0], place[1]).c_str(), O_RDWR | O_CLOEXEC));
      mappings.emplace_back(file, bytes);
      complete = complete && mappings.back() && mappings.back().header().nonce == place[2];
    }
    complete = complete && mappings.back();
  }
  at::Tensor failures = at::full({1}, complete ? 0.0 : 1.0);
  messages_->all_reduce(failures);  // files stay open until all have mapped them
  if (failures.item<float>() > 0) return nullptr;
  return std::make_shared<Buffer>(std::move(mappings), elements);
}

at::Tensor SameMachineCommunicator::sum_buffer(int64_t elements, const at::TensorOptions& options) {
  if (!works_ || elements == 0 || options.device().type() != at::kCPU ||
      options.dtype() != at::kFloat)
    return messages_->sum_buffer(elements, options);
  const std::shared_ptr<Buffer> buffer = open_buffer(elements);
  works_ = buffer != nullptr;
  if (!works_) return messages_->sum_buffer(elements, options);
  std::erase_if(buffers_, [](const auto& entry) { return entry.second.expired(); });
  float* own = buffer->floats(rank());
  buffers_[own] = buffer;
  return at::from_blob(
      own, {elements}, [buffer](void*) {}, options);
}

std::unique_ptr<Pending> SameMachineCommunicator::all_reduce_async(at::Tensor tensor) {
  const auto found = buffers_.find(tensor.const_data_ptr());
  const std::shared_ptr<Buffer> buffer = found == buffers_.end() ? nullptr : found->second.lock();
  if (!buffer || tensor.numel() != buffer->elements())
    return messages_->all_reduce_async(std::move(tensor));
  return std::make_unique<Sum>(*messages_, buffer);
}

}  // namespace openclip::train
