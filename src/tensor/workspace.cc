#include "tensor/workspace.h"

#include <algorithm>

namespace openclip {
namespace {
constexpr size_t kLine = 16;                     // floats in a cache line
constexpr size_t kLeastChunk = size_t{1} << 18;  // floats: 1 MB
}  // namespace

float* Workspace::take_floats(int64_t count) {
  const size_t need = (static_cast<size_t>(count) + kLine - 1) / kLine * kLine;
  while (chunk_ < chunks_.size() && used_ + need > chunks_[chunk_].size()) {
    ++chunk_;
    used_ = 0;
  }
  if (chunk_ == chunks_.size())
    chunks_.emplace_back(std::max({need, kLeastChunk, capacity_floats()}));  // doubles at least
  float* data = chunks_[chunk_].data() + used_;
  used_ += need;
  return data;
}

size_t Workspace::capacity_floats() const {
  size_t floats = 0;
  for (const Buffer& chunk : chunks_) floats += chunk.size();
  return floats;
}

void Workspace::release(size_t chunk, size_t used) {
  chunk_ = chunk;
  used_ = used;
  if (chunk != 0 || used != 0 || chunks_.size() < 2) return;
  // Empty again: one chunk instead of many, so that later calls find their place at once.
  const size_t floats = capacity_floats();
  chunks_.clear();
  chunks_.emplace_back(floats);
}

WorkspacePool::Lease WorkspacePool::borrow() {
  const std::lock_guard lock(mutex_);
  if (idle_.empty()) return {*this, std::make_unique<Workspace>()};
  std::unique_ptr<Workspace> workspace = std::move(idle_.back());
  idle_.pop_back();
  return {*this, std::move(workspace)};
}

WorkspacePool::Lease::~Lease() {
  const std::lock_guard lock(pool_.mutex_);
  pool_.idle_.push_back(std::move(workspace_));
}

}  // namespace openclip
