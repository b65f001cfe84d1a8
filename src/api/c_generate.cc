// Captions of the C API. Rank 6.
#include <algorithm>

#include "api/c_support.h"

namespace api = openclip::v0;
namespace capi = openclip::capi;
using openclip::check_arg;

namespace {

// What is 0 keeps its default.
template <class T>
void take(T given, T& option) {
  if (given != 0) option = given;
}

api::GenerateOptions generate_options(const openclip_generate_options* given) {
  constexpr const char* kTypes[] = {"beam_search", "top_p", "top_k"};
  api::GenerateOptions options;
  if (given == nullptr) return options;
  const auto known = capi::versioned(*given, "openclip_generate_options");
  check_arg(known.generation_type >= 0 && known.generation_type < 3,
            "generation_type must be one of OPENCLIP_GENERATE_..., got {}", known.generation_type);
  check_arg(known.reserved == 0, "openclip_generate_options.reserved must be 0");
  options.generation_type = kTypes[known.generation_type];
  take(known.seq_len, options.seq_len);
  take(known.min_seq_len, options.min_seq_len);
  options.min_seq_len = std::max(options.min_seq_len, 0);
  take(known.top_k, options.top_k);
  take(known.num_beams, options.num_beams);
  take(known.num_beam_groups, options.num_beam_groups);
  take(known.sot_token_id, options.sot_token_id);
  take(known.eos_token_id, options.eos_token_id);
  take(known.temperature, options.temperature);
  take(known.top_p, options.top_p);
  take(known.repetition_penalty, options.repetition_penalty);
  options.seed = known.seed;
  return options;
}

}  // namespace

extern "C" {

openclip_status openclip_generate(const openclip_model* model, const float* pixels, size_t count,
                                  const openclip_generate_options* options, int32_t* ids,
                                  size_t ids_size) {
  return capi::guarded([&] {
    capi::check_pointer(model, "model");
    const api::GenerateOptions generation = generate_options(options);
    const auto side = static_cast<size_t>(model->model.image_size());
    const auto row = static_cast<size_t>(std::max(generation.seq_len, 0));
    size_t numbers = 0, wanted = 0;
    check_arg(!__builtin_mul_overflow(count, 3 * side * side, &numbers) &&
                  !__builtin_mul_overflow(count, row, &wanted) && ids_size == wanted,
              "[generate] ids must have {} * {} numbers, got {}", count, row, ids_size);
    if (count > 0) capi::check_pointer(pixels, "pixels");
    if (count > 0) capi::check_pointer(ids, "ids");
    const api::Tokens tokens = model->model.generate({pixels, numbers}, generation);
    std::fill_n(ids, ids_size, 0);
    for (size_t i = 0; i < tokens.rows; ++i)
      std::copy_n(tokens.ids.data() + i * tokens.context_length, tokens.context_length,
                  ids + i * row);
  });
}

openclip_status openclip_decode(const openclip_tokenizer* tokenizer, const int32_t* ids,
                                size_t count, char* text, size_t text_size, size_t* length) {
  return capi::guarded([&] {
    capi::check_pointer(tokenizer, "tokenizer");
    if (count > 0) capi::check_pointer(ids, "ids");
    const std::string decoded = tokenizer->tokenizer.decode({ids, count});
    if (length != nullptr) *length = decoded.size();
    if (text == nullptr && text_size == 0) return;
    capi::check_pointer(text, "text");
    check_arg(decoded.size() < text_size, "[decode] text must have room for {} bytes, got {}",
              decoded.size() + 1, text_size);
    std::copy_n(decoded.c_str(), decoded.size() + 1, text);
  });
}

}  // extern "C"
