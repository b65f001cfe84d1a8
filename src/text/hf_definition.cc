#include "text/hf_definition.h"

#include <algorithm>

#include "text/hf_json.h"
#include "text/hf_parts.h"

namespace openclip {

using hf_json::Json;
using hf_json::member;

namespace {

void read_added_tokens(const std::string& source, const Json& list, HfDefinition* definition) {
  if (list.is_null()) return;
  if (!list.is_array()) throw ParseError(source, "added_tokens is not a list");
  for (const Json& entry : list) {
    AddedToken token{.content = hf_json::text_of(member(entry, "content")),
                     .id = hf_json::token_id(member(entry, "id"), source),
                     .single_word = hf_json::is_true(member(entry, "single_word")),
                     .lstrip = hf_json::is_true(member(entry, "lstrip")),
                     .rstrip = hf_json::is_true(member(entry, "rstrip"))};
    if (token.content.empty()) throw ParseError(source, "an added token has no content");
    definition->add(std::move(token), hf_json::is_true(member(entry, "normalized")));
  }
}

}  // namespace

void HfDefinition::add(AddedToken token, bool normalized) {
  tokens->add(token.content, token.id);
  (normalized ? after : before).push_back(std::move(token));
}

void HfDefinition::sort_added_tokens() {
  for (AddedToken& token : after) token.content = normalizer.apply(token.content);
  std::erase_if(after, [](const AddedToken& token) { return token.content.empty(); });
  for (auto* list : {&before, &after})
    std::stable_sort(list->begin(), list->end(), [](const AddedToken& a, const AddedToken& b) {
      return a.content.size() > b.content.size();
    });
}

HfDefinition parse_hf_definition(const std::string& source, std::string_view json_text) {
  const TokenizerJson json = read_tokenizer_json(source, json_text);
  const Json& root = json.rest;
  HfDefinition definition{.tokens = std::make_shared<TokenTable>()};
  read_hf_model(source, json, &definition);
  read_added_tokens(source, member(root, "added_tokens"), &definition);
  read_hf_normalizer(source, member(root, "normalizer"), &definition.normalizer);
  read_hf_pre_tokenizer(source, member(root, "pre_tokenizer"), &definition);
  read_hf_post_processor(source, member(root, "post_processor"), &definition);
  if (const Json& padding = member(root, "padding"); padding.is_object())
    definition.pad_id = hf_json::token_id(member(padding, "pad_id"), source);
  definition.sort_added_tokens();
  return definition;
}

}  // namespace openclip
