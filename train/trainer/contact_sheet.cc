#include "trainer/contact_sheet.h"

#include "base/file.h"

namespace openclip::train {

void write_contact_sheet(const std::string& path, const at::Tensor& pixels,
                         const PreprocessSettings& preprocess) {
  constexpr int64_t kColumns = 16;
  const int64_t count = pixels.size(0), size = pixels.size(2);
  const int64_t rows = (count + kColumns - 1) / kColumns;
  const auto channels = [](const std::array<float, 3>& values) {
    return at::tensor({values[0], values[1], values[2]}).view({1, 3, 1, 1});
  };
  const at::Tensor bytes = (pixels * channels(preprocess.std) + channels(preprocess.mean))
                               .mul(255)
                               .round()
                               .clamp(0, 255)
                               .to(at::kByte);
  at::Tensor sheet = at::full({rows * size, kColumns * size, 3}, 255, at::kByte);
  for (int64_t i = 0; i < count; ++i)
    sheet.slice(0, i / kColumns * size, (i / kColumns + 1) * size)
        .slice(1, i % kColumns * size, (i % kColumns + 1) * size)
        .copy_(bytes[i].permute({1, 2, 0}));
  const std::string header =
      "P6\n" + std::to_string(sheet.size(1)) + " " + std::to_string(sheet.size(0)) + "\n255\n";
  write_file_atomic(path, header + std::string(sheet.data_ptr<uint8_t>(),
                                               sheet.data_ptr<uint8_t>() + sheet.numel()));
}

}  // namespace openclip::train
