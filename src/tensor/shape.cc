#include "tensor/shape.h"

#include "base/error.h"

namespace openclip {

int64_t Shape::elements() const {
  int64_t count = 1;
  for (const int64_t dim : dims_)
    check_arg(dim >= 0 && !__builtin_mul_overflow(count, dim, &count),
              "[shape] dimensions must be positive and their product below 2^63, got {}", str());
  return count;
}

std::string Shape::str() const { return fmt::format("[{}]", fmt::join(dims_, ", ")); }

}  // namespace openclip
