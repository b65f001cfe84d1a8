#include "augment/canvas.h"

#include <algorithm>
#include <cmath>

namespace openclip::train {
namespace {

// out(y, x) = fn of the values at (y-1..y+1, x-1..x+1), edges repeated; nine row-wise pointers keep
// the inner loop free of bounds checks so that it vectorises.
template <class Fn>
void each_3x3(const Plane& in, int size, Plane& out, Fn fn) {
  const int stride = size + 2;
  std::vector<float> padded(static_cast<size_t>(stride) * stride);
  for (int y = 0; y < stride; ++y) {
    const float* row = in.data() + std::clamp(y - 1, 0, size - 1) * size;
    float* target = padded.data() + y * stride;
    target[0] = row[0];
    std::copy(row, row + size, target + 1);
    target[size + 1] = row[size - 1];
  }
  out.resize(in.size());
  for (int y = 0; y < size; ++y) {
    const float* top = padded.data() + y * stride;
    const float* mid = top + stride;
    const float* low = mid + stride;
    float* target = out.data() + y * size;
    for (int x = 0; x < size; ++x) target[x] = fn(top + x, mid + x, low + x);
  }
}

template <class Pick>
void grow(Plane& plane, int size, int steps, Pick pick) {
  Plane next;
  for (int step = 0; step < steps; ++step) {
    if (step % 2 == 0)
      each_3x3(plane, size, next, [&](const float* t, const float* m, const float* l) {
        return pick(pick(pick(m[0], m[1]), pick(m[2], t[1])), l[1]);
      });
    else
      each_3x3(plane, size, next, [&](const float* t, const float* m, const float* l) {
        const float top = pick(pick(t[0], t[1]), t[2]);
        const float mid = pick(pick(m[0], m[1]), m[2]);
        return pick(pick(top, mid), pick(pick(l[0], l[1]), l[2]));
      });
    plane.swap(next);
  }
}

}  // namespace

void blur(Plane& plane, int size, int times) {
  Plane next;
  for (int i = 0; i < times; ++i) {
    each_3x3(plane, size, next, [](const float* t, const float* m, const float* l) {
      return (t[0] + t[2] + l[0] + l[2] + 2 * (t[1] + m[0] + m[2] + l[1]) + 4 * m[1]) * (1 / 16.f);
    });
    plane.swap(next);
  }
}

void dilate(Plane& plane, int size, int steps) {
  grow(plane, size, steps, [](float a, float b) { return a > b ? a : b; });
}

void erode(Plane& plane, int size, int steps) {
  grow(plane, size, steps, [](float a, float b) { return a < b ? a : b; });
}

void gradient_magnitude(const Plane& plane, int size, Plane& out) {
  each_3x3(plane, size, out, [](const float* t, const float* m, const float* l) {
    const float dx = (t[2] + 2 * m[2] + l[2]) - (t[0] + 2 * m[0] + l[0]);
    const float dy = (l[0] + 2 * l[1] + l[2]) - (t[0] + 2 * t[1] + t[2]);
    return std::sqrt(dx * dx + dy * dy) * 0.25f;
  });
}

}  // namespace openclip::train
