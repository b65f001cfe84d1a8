#include "serve/api/routes.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "io/json.h"
#include "serve/api/embedding_inputs.h"
#include "serve/api/health.h"
#include "serve/test_util.h"

namespace openclip {

namespace embedded {
extern const std::string_view openapi_json;
}

namespace {

struct AllRoutes {
  Metrics metrics;
  Backend backend{{}, {"model/tag", "model"}, {}, metrics};
  IndexSet indices{Context(1), {}};
  Router router;
  std::string reason;

  AllRoutes() {
    add_health_routes(router, metrics, [this] { return reason; });
    add_openai_routes(router, backend);
    add_classify_routes(router, backend);
    add_detect_routes(router, backend);
    add_clip_as_service_routes(router, backend);
    add_immich_routes(router, backend);
    add_search_routes(router, backend, indices);
    add_clip_retrieval_routes(router, backend, indices);
    add_page_routes(router);
  }
};

TEST(Routes, OpenApiNamesEachOfThem) {
  const Json document = parse_json("openapi.json", embedded::openapi_json);
  std::set<std::string> described, there;
  for (const auto& [path, methods] : document["paths"].items())
    for (const auto& [method, operation] : methods.items()) {
      std::string upper = method;
      for (char& c : upper) c = static_cast<char>(std::toupper(c));
      described.insert(upper + " " + path);
    }
  const AllRoutes all;
  for (const Route& route : all.router.routes())
    if (route.path != "/" && !route.path.starts_with("/assets/"))
      there.insert(route.method + " " + route.path);
  EXPECT_EQ(described, there);
}

TEST(Routes, ReadinessTellsItsReason) {
  AllRoutes all;
  const Handler ready = all.router.find("GET", "/readyz", nullptr).handler;
  EXPECT_EQ(ready(Call{}).status, 200);
  all.reason = "the model is being loaded";
  const Reply reply = ready(Call{});
  EXPECT_EQ(reply.status, 503);
  EXPECT_THAT(reply.body, testing::HasSubstr("being loaded"));
  EXPECT_EQ(all.router.find("GET", "/healthz", nullptr).handler(Call{}).status, 200);
}

TEST(Routes, WorkIsRefusedUntilTheModelIsLoaded) {
  AllRoutes all;
  Call call;
  call.body = R"({"input":"a"})";
  EXPECT_EQ(status_of([&] { all.router.find("POST", "/embeddings", nullptr).handler(call); }), 503);
}

TEST(Backend, KnowsItsModelsNames) {
  const AllRoutes all;
  for (const char* name : {"model", "Model__TAG", "model::tag", "model,tag", "MODEL"})
    EXPECT_EQ(status_of([&] { all.backend.check_model(name); }), 200) << name;
  for (const char* name : {"", "mode", "model/other", "tag"})
    EXPECT_EQ(status_of([&] { all.backend.check_model(name); }), 404) << name;
}

EmbeddingsRequest read(const char* text) {
  return read_embeddings_request(parse_json("test", text), {});
}

TEST(EmbeddingInputs, TellsPicturesFromTexts) {
  const auto is_picture = [](const char* text, size_t index = 0) {
    return std::holds_alternative<PictureText>(read(text).inputs.at(index));
  };
  EXPECT_FALSE(is_picture(R"({"input":"http://a/b.png"})"));
  EXPECT_TRUE(is_picture(R"({"input":"data:image/png;base64,"})"));
  EXPECT_FALSE(is_picture(R"({"input":"data:,","modality":"text"})"));
  EXPECT_TRUE(is_picture(R"({"input":["http://a/b.png"],"modality":"image"})"));
  EXPECT_TRUE(is_picture(R"({"input":["a",{"image":"b"}]})", 1));
  EXPECT_TRUE(is_picture(R"({"input":["a",{"image_url":"b"}]})", 1));
  EXPECT_EQ(std::get<TokenIds>(read(R"({"input":[3,4]})").inputs.at(0)), (TokenIds{3, 4}));
  EXPECT_EQ(read(R"({"input":[[3],[4,5]]})").inputs.size(), 2u);
}

}  // namespace
}  // namespace openclip
