// Memory that the bodies of all requests may take together. Rank 6.
#pragma once

#include <atomic>
#include <cstddef>
#include <optional>
#include <utility>

namespace openclip {

/// Hands out bytes until there are none left. Thread-safe; must outlive its leases.
class BodyBudget {
 public:
  class Lease {
   public:
    Lease() = default;
    Lease(BodyBudget* budget, size_t bytes) : budget_(budget), bytes_(bytes) {}
    Lease(Lease&& other) noexcept
        : budget_(std::exchange(other.budget_, nullptr)), bytes_(other.bytes_) {}
    Lease& operator=(Lease&& other) noexcept {
      std::swap(budget_, other.budget_);
      std::swap(bytes_, other.bytes_);
      return *this;
    }
    ~Lease() {
      if (budget_ != nullptr) budget_->left_.fetch_add(bytes_);
    }

   private:
    BodyBudget* budget_ = nullptr;
    size_t bytes_ = 0;
  };

  explicit BodyBudget(size_t bytes) : left_(bytes) {}

  std::optional<Lease> take(size_t bytes) {
    size_t left = left_.load();
    do {
      if (left < bytes) return std::nullopt;
    } while (!left_.compare_exchange_weak(left, left - bytes));
    return Lease(this, bytes);
  }

 private:
  std::atomic<size_t> left_;
};

}  // namespace openclip
