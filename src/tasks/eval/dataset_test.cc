#include "tasks/eval/dataset.h"

#include <gmock/gmock.h>

#include <filesystem>

#include "base/error.h"
#include "base/file.h"

namespace openclip {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::ThrowsMessage;

class DatasetTest : public testing::Test {
 protected:
  void TearDown() override { fs::remove_all(root_); }
  std::string file(const std::string& name, const std::string& text = "x") {
    fs::create_directories((root_ / name).parent_path());
    write_file_atomic((root_ / name).string(), text);
    return (root_ / name).string();
  }
  std::string root() const { return root_.string(); }
  EvalDataset open(const EvalDatasetOptions& options = {}) {
    return open_eval_dataset(root(), options);
  }

  static std::vector<int32_t> targets(EvalDataset& dataset) {
    std::vector<int32_t> out;
    while (auto sample = dataset.samples->next()) out.push_back(sample->target);
    return out;
  }

 private:
  fs::path root_ =
      fs::path(testing::TempDir()) /
      (std::string("eval_") + testing::UnitTest::GetInstance()->current_test_info()->name());
};

TEST_F(DatasetTest, ClassFoldersAreClassesInOrder) {
  file("golden_retriever/b.png");
  file("golden_retriever/a.jpg");
  file("cat/deeper/c.webp");
  file("cat/notes.txt");
  file(".hidden/d.png");
  EvalDataset dataset = open();
  EXPECT_EQ(dataset.name, fs::path(root()).filename().string());
  EXPECT_THAT(dataset.classes, ElementsAre("cat", "golden retriever"));
  EXPECT_THAT(targets(dataset), ElementsAre(0, 1, 1));
}

TEST_F(DatasetTest, SplitsAndNumbersAsImageNetV2) {
  for (const char* name : {"test/10/a.png", "test/2/a.png", "test/0/a.png"}) file(name);
  std::string lines;
  for (int i = 0; i < 11; ++i) lines += fmt::format("class {}\n", i);
  file("classnames.txt", lines);
  EvalDataset dataset = open();
  EXPECT_EQ(dataset.classes.size(), 11u);
  EXPECT_THAT(targets(dataset), ElementsAre(0, 2, 10));
  file("classnames.txt", "too\nfew\n");
  EXPECT_THAT([&] { open(); }, ThrowsMessage<InvalidArgument>(HasSubstr("names 2 classes")));
}

TEST_F(DatasetTest, AnObjectNamesSomeOfManyFolders) {
  file("n01/a.png");
  file("n03/a.png");
  const std::string names = file("names.json", R"({"n01": "tench", "n02": "shark", "n03": "hen"})");
  EvalDataset dataset = open({.split = "test", .classes_file = names, .images = ""});
  EXPECT_THAT(dataset.classes, ElementsAre("tench", "hen"));
  file("n04/a.png");
  EXPECT_THAT([&] { open({.split = "test", .classes_file = names, .images = ""}); },
              ThrowsMessage<InvalidArgument>(HasSubstr("n04")));
}

TEST_F(DatasetTest, NothingThatIsADataset) {
  EXPECT_THROW(open_eval_dataset(root() + "/absent", {}), NotFound);
  fs::create_directories(root());
  EXPECT_THROW(open(), NotFound);
  file("empty_class/notes.txt");
  EXPECT_THAT([&] { open(); }, ThrowsMessage<NotFound>(HasSubstr("no pictures")));
  EXPECT_THROW(open_eval_dataset(file("list.txt"), {}), InvalidArgument);
}

TEST_F(DatasetTest, KarpathysCaptions) {
  const std::string path = file("coco.json", R"({"images": [
      {"filename": "a.jpg", "filepath": "val", "split": "test", "sentences": [{"raw": "one"}, {"raw": "two"}]},
      {"filename": "b.jpg", "filepath": "val", "split": "train", "sentences": [{"raw": "three"}]}]})");
  EvalDataset dataset =
      open_eval_dataset(path, {.split = "test", .classes_file = "", .images = "/p"});
  EXPECT_EQ(dataset.kind, EvalKind::retrieval);
  EXPECT_EQ(dataset.name, "coco");
  const auto sample = dataset.samples->next();
  EXPECT_EQ(sample->image.name, "/p/val/a.jpg");
  EXPECT_THAT(sample->captions, ElementsAre("one", "two"));
  EXPECT_FALSE(dataset.samples->next());
  EXPECT_THROW(open_eval_dataset(path, {.split = "none", .classes_file = "", .images = ""}),
               NotFound);
}

TEST_F(DatasetTest, CocosOwnCaptions) {
  const std::string path = file("captions.json", R"({"images": [{"id": 7, "file_name": "a.jpg"}],
      "annotations": [{"image_id": 7, "caption": "one"}, {"image_id": 8, "caption": "of none"}]})");
  EvalDataset dataset = open_eval_dataset(path, {});
  EXPECT_THAT(dataset.samples->next()->captions, ElementsAre("one"));
}

TEST_F(DatasetTest, DamagedCaptionFiles) {
  for (const char* text : {"", "[]", "{}", R"({"images": 3})", R"({"images": [{"filename": 3}]})",
                           R"({"images": [{"filename": "a", "sentences": [{"raw": null}]}]})"})
    EXPECT_THROW(open_eval_dataset(file("bad.json", text), {}), ParseError) << text;
}

TEST_F(DatasetTest, ClipBenchmarksFolders) {
  const std::string golden = std::string(OPENCLIP_SOURCE_DIR) + "/tests/golden/eval/";
  EvalDataset classes = open_eval_dataset(golden + "wds_classification", {});
  EXPECT_EQ(classes.classes.size(), 6u);
  EXPECT_THAT(classes.templates, ElementsAre("{}", "a {} shape"));
  EXPECT_EQ(targets(classes).size(), 40u);
  EvalDataset many = open_eval_dataset(golden + "wds_multilabel/", {});
  EXPECT_EQ(many.name, "wds_multilabel");
  EXPECT_EQ(many.kind, EvalKind::multilabel);
  EXPECT_EQ(many.samples->next()->targets.size(), 6u);
  EvalDataset captions = open_eval_dataset(golden + "wds_retrieval", {});
  EXPECT_EQ(captions.kind, EvalKind::retrieval);
  EXPECT_FALSE(captions.samples->next()->captions.empty());
}

TEST_F(DatasetTest, AMissingShardIsAProblemAndTheRestIsRead) {
  file("test/nshards.txt", "2");
  file("classnames.txt", "a\n");
  const std::string golden = std::string(OPENCLIP_SOURCE_DIR) + "/tests/golden/eval/";
  fs::copy_file(golden + "wds_classification/test/0.tar", root() + "/test/1.tar");
  EvalDataset dataset = open();
  int problems = 0, samples = 0;
  while (auto sample = dataset.samples->next())
    ++(sample->image.problem.empty() ? samples : problems);
  EXPECT_EQ(samples + problems, 21);
  EXPECT_GT(problems, 1);  // the shard, and the classes beyond the one that is named
  file("test/nshards.txt", "-1");
  EXPECT_THROW(open(), ParseError);
}

}  // namespace
}  // namespace openclip
