// Times the towers of a model and, given features that Python computed, compares with them.
//   tower_bench CONFIG.json WEIGHTS.safetensors [--batch N] [--threads N] [--seconds S]
//               [--io FILE.safetensors]   as tools/goldens/towers.py and tools/parity_towers.py
//               write it
//               [--towers image|text]     loads and compares one alone
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <ctime>
#include <string>
#include <vector>

#include "base/file.h"
#include "io/safetensors.h"
#include "kernels/isa.h"
#include "kernels/peak.h"
#include "models/model.h"

namespace {
using namespace openclip;

double now(clockid_t clock = CLOCK_MONOTONIC) {
  timespec time{};
  clock_gettime(clock, &time);
  return static_cast<double>(time.tv_sec) + 1e-9 * static_cast<double>(time.tv_nsec);
}

template <class T>
std::vector<T> values(const SafetensorsFile& file, const std::string& name) {
  const TensorView& view = file.tensor(name);
  std::vector<T> out(view.bytes.size() / sizeof(T));
  std::memcpy(out.data(), view.bytes.data(), view.bytes.size());
  return out;
}

double max_difference(const std::vector<float>& a, const std::vector<float>& b) {
  double worst = 0;
  for (size_t i = 0; i < a.size(); ++i)
    worst = std::max(worst, std::abs(static_cast<double>(a[i]) - b[i]));
  return worst;
}

// Runs `call` until the time is up; prints the quartile and best of wall time, and of processor
// time where one thread works.
template <class F>
void measure(const char* what, int batch, int threads, double seconds, const F& call) {
  call();
  std::vector<double> wall;
  const clockid_t clock = threads == 1 ? CLOCK_THREAD_CPUTIME_ID : CLOCK_MONOTONIC;
  const double end = now() + seconds;
  while (now() < end || wall.size() < 3) {
    const double start = now(clock);
    call();
    wall.push_back(now(clock) - start);
  }
  std::sort(wall.begin(), wall.end());
  std::printf("%s batch %d: %.2f ms (lower quartile of %zu, best %.2f), %.1f items/s%s\n", what,
              batch, wall[wall.size() / 4] * 1e3, wall.size(), wall[0] * 1e3,
              batch / wall[wall.size() / 4], threads == 1 ? ", processor time" : "");
}

int run(int argc, char** argv) {
  int batch = 32, threads = 0;
  double seconds = 5;
  std::string io_path;
  LoadOptions options;
  for (int i = 3; i + 1 < argc; i += 2) {
    const std::string flag = argv[i];
    if (flag == "--batch") batch = std::stoi(argv[i + 1]);
    if (flag == "--threads") threads = std::stoi(argv[i + 1]);
    if (flag == "--seconds") seconds = std::stod(argv[i + 1]);
    if (flag == "--io") io_path = argv[i + 1];
    if (flag == "--towers" && std::string(argv[i + 1]) == "image")
      options.towers = Towers::image_only;
    if (flag == "--towers" && std::string(argv[i + 1]) == "text")
      options.towers = Towers::text_only;
  }
  const Context context(threads);
  const ModelConfig config = parse_model_config(read_text_file(argv[1], 1 << 20), argv[1], argv[1]);
  const double start = now();
  const auto model = Model::load(context, config, argv[2], options);
  std::printf("isa %s, %d threads, load %.0f ms\n", kernels::isa_name().c_str(), context.threads(),
              (now() - start) * 1e3);
  const auto dim = static_cast<size_t>(config.embed_dim);
  if (!io_path.empty()) {
    const SafetensorsFile io = SafetensorsFile::open(io_path);
    const std::vector<float> pixels = values<float>(io, "pixels");
    const std::vector<float> image = values<float>(io, "image_features");
    const std::vector<float> text = values<float>(io, "text_features");
    const std::vector<int32_t> padded = values<int32_t>(io, "ids");
    const std::vector<int32_t> lengths = values<int32_t>(io, "lengths");
    std::vector<std::vector<int32_t>> ids;
    for (size_t i = 0; i < lengths.size(); ++i) {
      const auto row = padded.begin() + static_cast<long>(i) * config.text.context_length;
      ids.emplace_back(row, row + lengths[i]);
    }
    std::vector<float> got(image.size());
    if (options.towers != Towers::text_only) {
      model->encode_image(context, pixels.data(), static_cast<int64_t>(got.size() / dim),
                          got.data());
      std::printf("max abs difference: image %.2e\n", max_difference(got, image));
    }
    got.resize(text.size());
    if (options.towers != Towers::image_only) {
      model->encode_text(context, ids, got.data());
      std::printf("max abs difference: text %.2e\n", max_difference(got, text));
    }
  }
  if (seconds <= 0 || options.towers != Towers::both) return 0;
  const auto size = static_cast<size_t>(config.vision.image_size);
  std::vector<float> pixels(static_cast<size_t>(batch) * 3 * size * size);
  for (size_t i = 0; i < pixels.size(); ++i)
    pixels[i] = static_cast<float>(i * 7919 % 2000) * 1e-3f - 1;
  std::vector<float> out(static_cast<size_t>(batch) * dim);
  std::vector<std::vector<int32_t>> ids(static_cast<size_t>(batch), std::vector<int32_t>(12, 5));
  for (auto& text : ids) text.back() = config.text.vocab_size - 1;
  measure("image", batch, context.threads(), seconds,
          [&] { model->encode_image(context, pixels.data(), batch, out.data()); });
  measure("text (12 tokens)", batch, context.threads(), seconds,
          [&] { model->encode_text(context, ids, out.data()); });
  std::printf("peak %.1f GFLOP/s\n", kernels::measure_peak_gflops(context.threads(), 200));
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 3) return 2;
  try {
    return run(argc, argv);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "tower_bench: %s\n", error.what());
    return 1;
  }
}
