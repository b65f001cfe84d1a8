#include "dist/communicator.h"

#include <cstring>

namespace openclip::train {
namespace {

class Done : public Pending {
 public:
  void wait() override {}
};

}  // namespace

std::unique_ptr<Pending> Communicator::all_reduce_async(at::Tensor) {
  return std::make_unique<Done>();
}

void Communicator::broadcast(at::Tensor, int) {}

std::string Communicator::broadcast_text(const std::string& text) {
  if (size() == 1) return text;
  at::Tensor length = at::full({1}, static_cast<int64_t>(text.size()), at::kLong);
  broadcast(length, 0);
  at::Tensor bytes = at::zeros({length.item<int64_t>()}, at::kByte);
  if (is_first() && !text.empty()) std::memcpy(bytes.data_ptr(), text.data(), text.size());
  if (bytes.numel() > 0) broadcast(bytes, 0);
  return {reinterpret_cast<const char*>(bytes.data_ptr()), static_cast<size_t>(bytes.numel())};
}

}  // namespace openclip::train
