// Files that PyTorch wrote (tools/goldens/checkpoints.py) hold the tensors that PyTorch says.
#include "io/checkpoint.h"

#include <gmock/gmock.h>

#include <cstring>
#include <set>

#include "base/error.h"
#include "base/file.h"
#include "io/torch_file.h"

namespace openclip {
namespace {

using testing::HasSubstr;

const std::string kFolder = std::string(OPENCLIP_SOURCE_DIR) + "/tests/golden/checkpoints/";

std::vector<uint8_t> bytes_of(const HeldTensor& held) {
  return {held.view.bytes.begin(), held.view.bytes.end()};
}

// The tensors of expected.safetensors for each file.
std::map<std::string, TensorViews> expected_files(const SafetensorsFile& expected) {
  std::map<std::string, TensorViews> files;
  for (const auto& [name, view] : expected.tensors()) {
    const size_t colon = name.find(':');
    files[name.substr(0, colon)][name.substr(colon + 1)] = view;
  }
  return files;
}

TEST(CheckpointTest, HoldsWhatPyTorchSaved) {
  const SafetensorsFile expected = SafetensorsFile::open(kFolder + "expected.safetensors");
  const auto files = expected_files(expected);
  EXPECT_EQ(files.size(), 18u);
  for (const auto& [file, tensors] : files) {
    const Checkpoint checkpoint = Checkpoint::open(kFolder + file);
    std::set<std::string> names, wanted;
    for (const auto& [name, tensor] : checkpoint.tensors()) names.insert(name);
    for (const auto& [name, view] : tensors) wanted.insert(name);
    EXPECT_EQ(names, wanted) << file;
    for (const auto& [name, view] : tensors) {
      const auto found = checkpoint.tensors().find(name);
      if (found == checkpoint.tensors().end()) continue;
      const HeldTensor held = found->second.load();
      EXPECT_EQ(found->second.dtype(), view.dtype) << file << " " << name;
      EXPECT_EQ(found->second.shape(), view.shape) << file << " " << name;
      EXPECT_EQ(held.view.shape, view.shape) << file << " " << name;
      EXPECT_EQ(bytes_of(held), std::vector<uint8_t>(view.bytes.begin(), view.bytes.end()))
          << file << " " << name;
    }
  }
}

TEST(CheckpointTest, TensorsOutliveTheirCheckpoint) {
  std::vector<HeldTensor> held;
  for (const char* name : {"whole", "transposed"})
    held.push_back(Checkpoint::open(kFolder + "views.pt").tensors().at(name).load());
  float first = -1, second = -1;
  std::memcpy(&first, held[0].view.bytes.data() + 4, 4);
  std::memcpy(&second, held[1].view.bytes.data() + 4, 4);
  EXPECT_EQ(first, 1);
  EXPECT_EQ(second, 6);
}

// Pages are given back with each HeldTensor; what another one still shows must be read again.
TEST(CheckpointTest, BytesStayWhileAnotherLoadEnds) {
  const std::string path = testing::TempDir() + "/openclip_pages.safetensors";
  const std::vector<float> values(100000, 2.5f);
  const std::span<const uint8_t> bytes(reinterpret_cast<const uint8_t*>(values.data()),
                                       values.size() * sizeof(float));
  write_safetensors(path, {{"w", {DType::f32, {100000}, bytes}}});
  const LazyTensor tensor = Checkpoint::open(path).tensors().at("w");
  const HeldTensor kept = tensor.load();
  { const HeldTensor gone = tensor.load(); }
  EXPECT_EQ(std::memcmp(kept.view.bytes.data(), bytes.data(), bytes.size()), 0);
}

TEST(CheckpointTest, OnlyViewsOutOfOrderAreCopied) {
  const Checkpoint views = Checkpoint::open(kFolder + "views.pt");
  const auto address = [&](const char* name) {
    return views.tensors().at(name).load().view.bytes.data();
  };
  EXPECT_EQ(address("whole"), address("whole"));
  EXPECT_EQ(address("row"), address("whole") + 2 * 6 * 4);
  const HeldTensor once = views.tensors().at("column").load();
  EXPECT_NE(once.view.bytes.data(), address("column"));
}

std::string refusal(const std::string& path) {
  try {
    Checkpoint::open(path);
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

TEST(CheckpointTest, APickledClassIsRefusedByName) {
  EXPECT_THROW(Checkpoint::open(kFolder + "module.pt"), Unsupported);
  EXPECT_THAT(refusal(kFolder + "module.pt"), HasSubstr("'torch.nn.modules.linear.Linear'"));
}

TEST(CheckpointTest, OtherFilesAreNamed) {
  const std::string path = testing::TempDir() + "/openclip_other.pt";
  const std::pair<std::string, const char*> cases[] = {
      {"version https://git-lfs.github.com/spec/v1\noid sha256:00\n", "Git LFS pointer"},
      {"<!DOCTYPE html>", "web page"},
      {std::string(257, '\0') + "ustar", "0.1.10"},
      {"GGUF\3\0\0\0", "GGUF"},
      {"\x89HDF\r\n", "HDF5"},
      {"", "neither a safetensors nor a PyTorch file"},
      {std::string("\x80\2]q\0.", 6), "not one of torch.save"},
      {std::string("\0\xe4\x0b\x54\2\0\0\0{", 9), "header of 10000000000 bytes"}};
  for (const auto& [content, text] : cases) {
    write_file_atomic(path, content);
    EXPECT_THAT(refusal(path), testing::AllOf(HasSubstr(path), HasSubstr(text)));
  }
  EXPECT_THROW(Checkpoint::open(path + ".absent"), NotFound);
}

TEST(CheckpointTest, EveryCutIsAnError) {
  const std::pair<const char*, decltype(&read_torch_zip)> cases[] = {
      {"views.pt", read_torch_zip}, {"views_legacy.pt", read_torch_legacy}};
  for (const auto& [name, read] : cases) {
    const std::vector<uint8_t> whole = read_file(kFolder + name, 1 << 20);
    const std::span<const uint8_t> bytes(whole);
    EXPECT_NO_THROW(read(name, bytes, nullptr));
    for (size_t size = 0; size < whole.size(); ++size)
      EXPECT_THROW(read(name, bytes.first(size), nullptr), Error) << name << " " << size;
  }
}

}  // namespace
}  // namespace openclip
