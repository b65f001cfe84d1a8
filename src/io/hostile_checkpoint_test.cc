// Files that were made to do harm: each is refused with one line, and nothing in it runs.
#include <gmock/gmock.h>

#include "base/error.h"
#include "io/pickle.h"
#include "io/torch_file.h"
#include "io/zip_archive.h"

// GCC 12 sees an overlap in every "literal" + std::string (its bug 105651).
#pragma GCC diagnostic ignored "-Wrestrict"

namespace openclip {
namespace {

using testing::HasSubstr;
using namespace std::string_literals;

std::string little(uint64_t value, size_t size) {
  std::string out;
  for (size_t i = 0; i < size; ++i) out.push_back(static_cast<char>(value >> (8 * i)));
  return out;
}

std::span<const uint8_t> bytes(const std::string& text) {
  return {reinterpret_cast<const uint8_t*>(text.data()), text.size()};
}

// A zip archive of stored entries; the sizes that it states may be others than the data's.
class Zip {
 public:
  Zip& add(const std::string& name, const std::string& data, uint16_t method = 0,
           int64_t stated = -1) {
    const uint64_t size = stated < 0 ? data.size() : static_cast<uint64_t>(stated);
    const std::string sizes = little(0, 4) + little(size, 4) + little(size, 4);
    const std::string common = little(20, 2) + little(0, 2) + little(method, 2) + little(0, 4);
    directory_ += "PK\1\2" + little(20, 2) + common + sizes + little(name.size(), 2) +
                  little(0, 12) + little(body_.size(), 4) + name;
    body_ += "PK\3\4" + common + sizes + little(name.size(), 2) + little(0, 2) + name + data;
    ++count_;
    return *this;
  }
  // Another directory entry for the last local header.
  Zip& repeat_directory() {
    directory_ += directory_;
    count_ *= 2;
    return *this;
  }
  std::string finish(int64_t stated_count = -1) const {
    const uint64_t count = stated_count < 0 ? count_ : static_cast<uint64_t>(stated_count);
    return body_ + directory_ + "PK\5\6" + little(0, 4) + little(count, 2) + little(count, 2) +
           little(directory_.size(), 4) + little(body_.size(), 4) + little(0, 2);
  }

 private:
  std::string body_, directory_;
  uint64_t count_ = 0;
};

std::string zip_refusal(const std::string& file) {
  try {
    read_torch_zip("evil.pt", bytes(file), nullptr);
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), testing::Not(HasSubstr("\n")));
    return error.what();
  }
  return "";
}

std::string pickle_refusal(const std::string& pickle) {
  return zip_refusal(Zip().add("a/data.pkl", pickle).finish());
}

std::string text(const std::string& value) { return "X" + little(value.size(), 4) + value; }

// A state_dict with one tensor of two floats, its arguments as given.
std::string tensor(const std::string& size, const std::string& stride,
                   const std::string& offset = "K\0"s, const std::string& count = "K\2"s,
                   const std::string& storage = "torch\nFloatStorage\n") {
  return "\x80\2}" + text("w") + "ctorch._utils\n_rebuild_tensor_v2\n((" + text("storage") + "c" +
         storage + text("0") + text("cpu") + count + "tQ" + offset + size + stride + "\x89}tRs.";
}

std::string in_archive(const std::string& pickle, const std::string& data = std::string(8, 1)) {
  return Zip().add("a/data.pkl", pickle).add("a/data/0", data).finish();
}

const std::string kTwo = "K\2\x85"s, kOne = "K\1\x85"s;

TEST(HostileCheckpointTest, TheHonestOneIsRead) {
  const std::string file = in_archive(tensor(kTwo, kOne));
  const LazyTensors tensors = read_torch_zip("good.pt", bytes(file), nullptr);
  ASSERT_EQ(tensors.count("w"), 1u);
  EXPECT_EQ(tensors.at("w").load().view.bytes.size(), 8u);
}

TEST(HostileCheckpointTest, ForeignGlobalsAreNamedAndNotRun) {
  const std::string run = text("touch /tmp/owned");
  const std::pair<std::string, const char*> cases[] = {
      {"\x80\2cos\nsystem\n" + run + "\x85R.", "'os.system'"},
      {"\x80\2cposix\nsystem\n" + run + "\x85R.", "'posix.system'"},
      {"\x80\2cbuiltins\neval\n" + run + "\x85R.", "'builtins.eval'"},
      {"\x80\2c__builtin__\ngetattr\n.", "'__builtin__.getattr'"},
      {"\x80\2(ios\nsystem\n.", "'os.system'"},
      {"\x80\2(cos\nsystem\n" + run + "o.", "'os.system'"},
      {"\x80\4" + text("os") + text("system") + "\x93.", "'os.system'"},
      {"\x80\2csubprocess\nPopen\n)\x81}b.", "'subprocess.Popen'"},
      {"\x80\2c__torch__.evil\nModule\n)\x81}b.", "'__torch__.evil.Module'"},
      {"\x80\2ctorch.storage\n_load_from_bytes\n.", "'torch.storage._load_from_bytes'"},
      {"\x80\2ctorch._utils\n_rebuild.x\n.", "'torch._utils._rebuild.x'"},
      {"\x80\2c\x1b[31m\nx\n.", "'?[31m.x'"}};
  for (const auto& [pickle, name] : cases)
    EXPECT_THAT(pickle_refusal(pickle), testing::AllOf(HasSubstr("evil.pt"), HasSubstr(name)));
}

TEST(HostileCheckpointTest, WhatIsAllowedIsNotBuiltEither) {
  // Calls of plain data stay data; attributes and items go nowhere.
  const std::string plain = "\x80\2}(" + text("a") + "cargparse\nNamespace\n)\x81}" + text("x") +
                            "K\1sb" + text("b") + "cbuiltins\nset\n]\x85Ru.";
  EXPECT_THAT(pickle_refusal(plain), HasSubstr("holds no state_dict; its entries are a, b"));
  EXPECT_THAT(pickle_refusal("\x80\2}}b."), HasSubstr("gives attributes to what has none"));
  EXPECT_THAT(pickle_refusal("\x80\2}}\x85R."), HasSubstr("calls what is no global"));
  EXPECT_THAT(pickle_refusal("\x80\2K\1K\2a."), HasSubstr("no container"));
}

TEST(HostileCheckpointTest, LyingSizesAllocateNothing) {
  const std::pair<std::string, const char*> cases[] = {
      {"\x80\2\x8b\xff\xff\xff\x7f.", "beyond its end"},                      // LONG4
      {"\x80\4\x8d" + little(uint64_t{1} << 60, 8) + ".", "beyond its end"},  // BINUNICODE8
      {"\x80\5\x96" + little(~uint64_t{0}, 8) + ".", "beyond its end"},       // BYTEARRAY8
      {"\x80\2T\xff\xff\xff\xff.", "beyond its end"},                         // BINSTRING
      {"\x80\2Nr\xff\xff\xff\xff.", "as number 4294967295"},                  // LONG_BINPUT
      {"\x80\2j\xff\xff\xff\xff.", "did not remember"},
      {"\x80\2" + std::string(5, 'e') + ".", "mark that is not there"},
      {"\x80\2.", "empty stack"},
      {"\x80\x7f.", "protocol 127"},
      {"\x80\2I1\n.", "opcode 0x49"},
      {"\x80\2", "beyond its end"}};
  for (const auto& [pickle, problem] : cases)
    EXPECT_THAT(pickle_refusal(pickle), HasSubstr(problem));
}

TEST(HostileCheckpointTest, Bombs) {
  // Each tuple holds the one before twice: 2^200 leaves on 400 bytes.
  std::string tuples = "\x80\2)";
  for (int i = 0; i < 200; ++i) tuples += "2\x86";
  EXPECT_THAT(pickle_refusal(tuples + "."), HasSubstr("no tensors"));
  EXPECT_THAT(pickle_refusal("\x80\2" + std::string(1 << 19, ')')), HasSubstr("nests deeper"));
  EXPECT_THAT(pickle_refusal("\x80\2" + std::string(1 << 19, '(')), HasSubstr("nests deeper"));
  std::string values = "\x80\2";
  for (int i = 0; i < 1 << 21; ++i) values += "N0";
  EXPECT_THAT(pickle_refusal(values), HasSubstr("more values"));
  // A TorchScript module that holds itself, and modules that each hold the one before twice.
  const std::string module = "c__torch__\nM\n)\x81";
  const auto script = [](const std::string& pickle) {
    return zip_refusal(Zip().add("a/data.pkl", pickle).add("a/constants.pkl", ").").finish());
  };
  EXPECT_THAT(script("\x80\2" + module + "q\1}" + text("m") + "h\1sb."), HasSubstr("nest deeper"));
  std::string doubling = "\x80\2" + module + "}bq\1";
  for (int i = 0; i < 40; ++i)
    doubling += "0" + module + "}(" + text("a") + "h\1" + text("b") + "h\1ubq\1";
  EXPECT_THAT(script(doubling + "."), HasSubstr("more attributes"));
}

TEST(HostileCheckpointTest, TensorsStayInTheirStorage) {
  const std::string big = "\x8a\x08"s + little(uint64_t{1} << 62, 8);
  const std::string minus = "J\xff\xff\xff\xff";
  const std::pair<std::string, const char*> cases[] = {
      {tensor("K\3\x85"s, kOne), "beyond the 2 elements"},
      {tensor(kTwo, "K\2\x85"s), "beyond the 2 elements"},
      {tensor(kTwo, kOne, "K\1"s), "beyond the 2 elements"},
      {tensor(kTwo, minus + "\x85"), "stride that is no natural number"},
      {tensor(minus + "\x85", kOne), "size that is no natural number"},
      {tensor(kTwo, kOne, minus), "offset that is no natural number"},
      {tensor(kTwo, big + "\x85"), "beyond the 2 elements"},
      {tensor("K\3\x85"s, big + "\x85"), "beyond the 2 elements"},
      {tensor(kTwo, kOne, big), "beyond the 2 elements"},
      {tensor(big + big + "\x86", "K\0K\0\x86"s), "beyond the 2 elements"},
      {tensor(big + "\x85", "K\0\x85"s), "expands 2 stored elements"},
      {tensor(kTwo, "K\1K\1\x86"s), "no stride for each dimension"},
      {tensor(kTwo, kOne, "K\0"s, big), "no storage of a known type"},
      {tensor(kTwo, kOne, "K\0"s, "K\3"s), "8 bytes for 3 elements of f32"},
      {tensor("N", "N"), "has no size"}};
  for (const auto& [pickle, problem] : cases)
    EXPECT_THAT(zip_refusal(in_archive(pickle)), HasSubstr(problem));
  EXPECT_THAT(zip_refusal(in_archive(tensor(kTwo, kOne), "short")), HasSubstr("5 bytes for 2"));
  EXPECT_THAT(pickle_refusal(tensor(kTwo, kOne)), HasSubstr("lacks the storage 'a/data/0'"));
  EXPECT_THAT(pickle_refusal(tensor(kTwo, kOne, "K\0"s, "K\2"s, "torch\nQInt8Storage\n")),
              HasSubstr("'torch.QInt8Storage'"));
}

TEST(HostileCheckpointTest, Archives) {
  const std::string pickle = "\x80\2}.", name = "a/data.pkl";
  const std::pair<std::string, const char*> cases[] = {
      {Zip().add(name, pickle).repeat_directory().finish(), "is there twice"},
      {Zip().add(name, pickle, 0, 9).add("a/x", "123456789").finish(), "overlap"},
      {Zip().add(name, pickle, 0, 1 << 30).finish(), "leaves the archive"},
      {Zip().add(name, pickle, 8).finish(), "is compressed"},
      {Zip().add("../a", pickle).finish(), "entry name '../a'"},
      {Zip().add("/a", pickle).finish(), "entry name '/a'"},
      {Zip().add("a\n", pickle).finish(), "entry name 'a?'"},
      {Zip().add("", pickle).finish(), "entry name ''"},
      {Zip().add(std::string(5000, 'a'), pickle).finish(), "entry name"},
      {Zip().add(name, pickle).finish(2), "2 entries in"},
      {Zip().add(name, pickle).finish(0), "longer than its entries"},
      {Zip().add(name, pickle).finish(60000), "60000 entries"},
      {Zip().add("a/b", pickle).finish(), "no data.pkl"},
      {Zip().add("w.npy", pickle).finish(), "NumPy"},
      {Zip().add(name, pickle).add("a/byteorder", "big").finish(), "big-endian"},
      {Zip().add(name, pickle).finish() + "x", "no directory"},
      {"PK\3\4", "too short"}};
  for (const auto& [file, problem] : cases) EXPECT_THAT(zip_refusal(file), HasSubstr(problem));
}

// An archive of one entry whose sizes and places all stand in the fields for large files.
std::string zip64(const std::string& name, const std::string& data, uint64_t size, uint64_t count,
                  uint64_t extra_size = 24) {
  const std::string common = little(45, 2) + little(0, 10);
  const std::string many(12, '\xff');
  const std::string sizes = little(size, 8) + little(size, 8);
  const std::string body = "PK\3\4" + common + little(0, 2) + many.substr(0, 8) +
                           little(name.size(), 2) + little(20, 2) + name + little(1, 2) +
                           little(16, 2) + sizes + data;
  const std::string extra =
      little(1, 2) + little(extra_size, 2) + (sizes + little(0, 8)).substr(0, extra_size);
  const std::string directory = "PK\1\2" + little(45, 2) + common + little(0, 2) +
                                many.substr(0, 8) + little(name.size(), 2) +
                                little(extra.size(), 2) + little(0, 10) + many.substr(0, 4) + name +
                                extra;
  const std::string end64 = "PK\6\6" + little(44, 8) + little(45, 2) + little(45, 2) +
                            little(0, 8) + little(count, 8) + little(count, 8) +
                            little(directory.size(), 8) + little(body.size(), 8);
  return body + directory + end64 + "PK\6\7" + little(0, 4) +
         little(body.size() + directory.size(), 8) + little(1, 4) + "PK\5\6" + little(0, 4) + many +
         little(0, 2);
}

TEST(HostileCheckpointTest, LargeArchives) {
  const std::string file = zip64("a/b", "data", 4, 1);
  const auto entries = parse_zip("large.pt", bytes(file));
  ASSERT_EQ(entries.count("a/b"), 1u);
  EXPECT_EQ(std::string(entries.at("a/b").data.begin(), entries.at("a/b").data.end()), "data");
  const std::pair<std::string, const char*> cases[] = {
      {zip64("a/b", "data", 5, 1), "leaves the archive"},
      {zip64("a/b", "data", ~uint64_t{0}, 1), "leaves the archive"},
      {zip64("a/b", "data", 4, ~uint64_t{0}), "entries in"},
      {zip64("a/b", "data", 4, 1, 16), "lacks a size"},
      {file.substr(file.size() - 42), "the zip64 end record"},
      {file.substr(file.size() - 22), "no zip64 locator"}};
  for (const auto& [damaged, problem] : cases)
    EXPECT_THAT(zip_refusal(damaged), HasSubstr(problem));
}

// A legacy file of one tensor of two floats in a storage of four; `view` is the storage's last
// field.
std::string legacy(const std::string& view, const std::string& byte_order = "\x88",
                   uint64_t count = 4) {
  const std::string pickle = "\x80\2}" + text("w") + "ctorch._utils\n_rebuild_tensor\n((" +
                             text("storage") + "ctorch\nFloatStorage\n" + text("key") +
                             text("cpu") + "K\4" + view + "tQK"s + '\0' + kTwo + kOne + "tRs.";
  return "\x80\2\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19." + "\x80\2M\xe9\3."s + "\x80\2}" +
         text("little_endian") + byte_order + "s." + pickle + "\x80\2]" + text("key") + "a." +
         little(count, 8) + "aaaabbbbccccdddd";
}

TEST(HostileCheckpointTest, LegacyFiles) {
  const auto read = [](const std::string& file) {
    const HeldTensor held = read_torch_legacy("old.pt", bytes(file), nullptr).at("w").load();
    return std::string(held.view.bytes.begin(), held.view.bytes.end());
  };
  const auto refused = [&](const std::string& file) -> std::string {
    try {
      read(file);
    } catch (const Error& error) {
      return error.what();
    }
    return "";
  };
  EXPECT_EQ(read(legacy("N")), "aaaabbbb");
  // Before PyTorch 0.4 a storage could be a part of another.
  EXPECT_EQ(read(legacy("("s + text("part") + "K\1K\2t")), "bbbbcccc");
  EXPECT_THAT(refused(legacy("("s + text("part") + "K\3K\2t")),
              HasSubstr("no tensor of a known type"));
  EXPECT_THAT(refused(legacy("("s + text("part") + "K\1K\1t")), HasSubstr("beyond the 1 elements"));
  EXPECT_THAT(refused(legacy("N", "\x89")), HasSubstr("big-endian"));
  EXPECT_THAT(refused(legacy("N", "\x88", 5)), HasSubstr("another size"));
}

}  // namespace
}  // namespace openclip
