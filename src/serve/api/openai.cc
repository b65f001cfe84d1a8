// OpenAI's embeddings and models.
#include <ctime>

#include "serve/api/mixed_embed.h"
#include "serve/api/reply_json.h"
#include "serve/api/routes.h"
#include "serve/formats/float_json.h"
#include "serve/formats/json_body.h"

namespace openclip {
namespace {

Reply embeddings(const Call& call, Backend& backend) {
  const EmbeddingsRequest request =
      read_embeddings_request(parse_json_body(call.body, backend.limits()), backend.limits());
  if (!request.model.empty()) backend.check_model(request.model);
  const size_t dim = backend.engine().dim();
  const size_t used = request.dimensions == 0 ? dim : request.dimensions;
  TextUsage usage;
  const std::vector<float> rows =
      shorten_rows(embed_inputs(call, backend, request.inputs, &usage), dim, used);
  // Written by hand: vectors are nearly all of it.
  Reply reply{.body = R"({"object":"list","data":[)"};
  for (size_t i = 0; i < request.inputs.size(); ++i) {
    reply.body +=
        fmt::format(R"({}{{"object":"embedding","index":{},"embedding":)", i > 0 ? "," : "", i);
    const std::span<const float> row(rows.data() + i * used, used);
    request.base64 ? append_base64(row, &reply.body) : append_json(row, &reply.body);
    reply.body += '}';
  }
  reply.body += fmt::format(R"(],"model":{},"usage":{{"prompt_tokens":{},"total_tokens":{}}}}})",
                            OrderedJson(backend.model_name()).dump(), usage.tokens, usage.tokens);
  return reply;
}

OrderedJson model_json(const Backend& backend, const std::string& name, std::time_t created) {
  return {{"id", name},
          {"object", "model"},
          {"created", created},
          {"owned_by", "openclip"},
          {"capabilities", {"embed", "classify"}},
          {"dimensions", backend.ready() ? OrderedJson(backend.engine().dim()) : nullptr}};
}

}  // namespace

void add_openai_routes(Router& router, Backend& backend) {
  const auto embed = [&backend](const Call& call) { return embeddings(call, backend); };
  const auto models = [&backend, created = std::time(nullptr)](const Call&) {
    OrderedJson data = OrderedJson::array();
    for (const std::string& name : backend.model_names())
      data.push_back(model_json(backend, name, created));
    return json_reply({{"object", "list"}, {"data", data}});
  };
  for (const std::string prefix : {"/v1", ""}) {
    router.add({"POST", prefix + "/embeddings", embed});
    router.add({"GET", prefix + "/models", models, Access::keyed, Place::at_once});
  }
}

}  // namespace openclip
