// Boxes and heat maps: where in a picture things are.
#include "tasks/detect.h"

#include <cmath>

#include "models/preprocess_config.h"
#include "serve/api/reply_json.h"
#include "serve/api/routes.h"
#include "serve/formats/json_body.h"
#include "tasks/dense_names.h"
#include "tasks/detection_json.h"
#include "tasks/explain.h"

namespace openclip {
namespace {

constexpr int64_t kMostDetections = 1000;

// One of a few names. Throws: CallError that lists them.
size_t choice_of(const Json& body, const char* member, const std::vector<std::string>& names) {
  const std::string given = json_get_or<std::string>(kBody, body, member, names.front());
  const auto found = std::find(names.begin(), names.end(), given);
  if (found == names.end())
    throw CallError(400, fmt::format("'{}' must be {}", member, fmt::join(names, " or ")), member);
  return static_cast<size_t>(found - names.begin());
}

DenseReading reading_of(const Json& body) {
  const std::vector<std::string>& names = dense_reading_names();
  return dense_reading_of(names[choice_of(body, "dense_reading", names)]);
}

// The one picture of a request as a file; decoded it may be large, so that waits for its turn.
std::vector<uint8_t> picture_of(const Call& call, const Backend& backend, const Json& body) {
  if (const std::string model = json_get_or<std::string>(kBody, body, "model", ""); !model.empty())
    backend.check_model(model);
  return backend.picture(call, json_get<std::string>(kBody, body, "image"), "image");
}

// Ends the work of a request that nobody waits for any more.
std::function<void()> stop_for(const Call& call) {
  return [&call] {
    if (call.abandoned()) throw gone_error();
    if (Clock::now() > call.deadline) throw busy_error("the request's time is over");
  };
}

DetectOptions detect_options(const Json& body) {
  DetectOptions options;
  options.method = choice_of(body, "method", {"windows", "dense"}) == 1 ? DetectMethod::dense
                                                                        : DetectMethod::windows;
  options.reading = reading_of(body);
  if (json_find(body, "threshold") != nullptr) {
    options.threshold = json_get<double>(kBody, body, "threshold");
    if (!(*options.threshold > 0 && *options.threshold < 1))
      throw CallError(400, "'threshold' must lie between 0 and 1", "threshold");
  }
  const int64_t most = json_get_or<int64_t>(kBody, body, "most", 100);
  if (most < 1 || most > kMostDetections)
    throw CallError(400, fmt::format("'most' must be from 1 to {}", kMostDetections), "most");
  options.most = static_cast<size_t>(most);
  return options;
}

Reply detect(const Call& call, Backend& backend) {
  Engine& engine = backend.engine();
  const Json body = parse_json_body(call.body, backend.limits());
  const Json* list = json_find(body, "labels");
  if (list == nullptr) throw CallError(400, "'labels' is missing", "labels");
  const std::vector<std::string> labels =
      json_strings(*list, "labels", backend.limits().max_detect_labels);
  if (labels.empty()) throw CallError(400, "'labels' is empty", "labels");
  DetectOptions options = detect_options(body);
  options.between_passes = stop_for(call);
  const std::vector<uint8_t> file = picture_of(call, backend, body);
  const Gate::Pass pass = engine.heavy().enter(call);
  const Image image = engine.decode(call, file, "image");
  OrderedJson detections = OrderedJson::array();
  for (const Detection& found : engine.detector().detect(engine.context(), image, labels, options))
    detections.push_back(detection_json(found));
  return json_reply({{"model", backend.model_name()},
                     {"width", image.width},
                     {"height", image.height},
                     {"detections", detections}});
}

OrderedJson heat_json(const HeatMap& heat) {
  OrderedJson rows = OrderedJson::array();
  for (int y = 0; y < heat.rows; ++y) {
    OrderedJson row = OrderedJson::array();
    for (int x = 0; x < heat.cols; ++x) row.push_back(std::round(heat.at(y, x) * 1e5) / 1e5);
    rows.push_back(std::move(row));
  }
  return rows;
}

Reply explain(const Call& call, Backend& backend) {
  Engine& engine = backend.engine();
  const Json body = parse_json_body(call.body, backend.limits());
  const std::string text = json_get<std::string>(kBody, body, "text");
  const size_t most = backend.limits().max_explain_bytes;
  if (text.empty() || text.size() > most)
    throw CallError(text.empty() ? 400 : 413, fmt::format("'text' must have 1 to {} bytes", most),
                    "text");
  ExplainOptions options;
  constexpr ExplainMethod kMethods[] = {ExplainMethod::windows, ExplainMethod::dense,
                                        ExplainMethod::occlusion};
  options.method = kMethods[choice_of(body, "method", {"windows", "dense", "occlusion"})];
  options.reading = reading_of(body);
  options.between_passes = stop_for(call);
  const std::vector<uint8_t> file = picture_of(call, backend, body);
  const Gate::Pass pass = engine.heavy().enter(call);
  const Image image = engine.decode(call, file, "image");
  const ExplainModel asked{engine.model(), engine.tokenizer(),
                           preprocess_config(engine.source().config)};
  const Explanation found = explain_image(engine.context(), asked, image, text, options);
  OrderedJson words = OrderedJson::array();
  for (const WordWeight& word : explain_words(engine.context(), asked, image, text))
    words.push_back({{"word", word.word}, {"weight", word.weight}});
  return json_reply({{"model", backend.model_name()},
                     {"text", text},
                     {"similarity", found.similarity},
                     {"width", image.width},
                     {"height", image.height},
                     {"rows", found.heat.rows},
                     {"columns", found.heat.cols},
                     {"heat", heat_json(found.heat)},
                     {"words", words}});
}

}  // namespace

void add_detect_routes(Router& router, Backend& backend) {
  router.add({"POST", "/detect", [&backend](const Call& call) { return detect(call, backend); }});
  router.add({"POST", "/explain", [&backend](const Call& call) { return explain(call, backend); }});
}

}  // namespace openclip
