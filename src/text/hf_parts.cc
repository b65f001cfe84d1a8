#include "text/hf_parts.h"

#include <algorithm>

#include "text/base64.h"
#include "text/hf_json.h"

namespace openclip {
namespace {

using hf_json::is_true;
using hf_json::Json;
using hf_json::member;
using hf_json::text_of;
using hf_json::unsupported;

// What transformers' CLIPTokenizer puts before the pattern since its version 5.
constexpr std::string_view kSpecialWords = R"(<\|startoftext\|>|<\|endoftext\|>|)";
constexpr std::string_view kClipPattern =
    R"('s|'t|'re|'ve|'m|'ll|'d|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+)";

normalizers::Step replace_step(const std::string& source, const Json& json) {
  const Json& pattern = member(json, "pattern");
  const std::string content = text_of(member(json, "content"));
  const std::string text = text_of(member(pattern, "String"));
  const std::string regex = text_of(member(pattern, "Regex"));
  if (!text.empty()) return normalizers::Replace{text, content};
  if (regex == " {2,}") return normalizers::ReplaceSpaces{content};
  // Runs of white space are single spaces already after cleaning.
  if (regex == R"(\s+)" && content == " ") return normalizers::ReplaceSpaces{content};
  unsupported(source, fmt::format("it replaces the pattern '{}'", regex));
}

normalizers::Step bert_step(const Json& json) {
  const bool lower = is_true(member(json, "lowercase"), true);
  return BertNormalization{.clean_text = is_true(member(json, "clean_text"), true),
                           .chinese_chars = is_true(member(json, "handle_chinese_chars"), true),
                           .strip_accents = is_true(member(json, "strip_accents"), lower),
                           .lowercase = lower};
}

normalizers::Step normalizer_step(const std::string& source, const Json& json) {
  using normalizers::Form;
  const std::string type = text_of(member(json, "type"));
  if (type == "NFC") return Form::nfc;
  if (type == "NFD") return Form::nfd;
  if (type == "NFKC") return Form::nfkc;
  if (type == "NFKD") return Form::nfkd;
  if (type == "Lowercase") return normalizers::Lowercase{};
  if (type == "Prepend") return normalizers::Prepend{text_of(member(json, "prepend"))};
  if (type == "Replace") return replace_step(source, json);
  if (type == "Strip")
    return normalizers::Strip{.left = is_true(member(json, "strip_left"), true),
                              .right = is_true(member(json, "strip_right"), true)};
  if (type == "BertNormalizer") return bert_step(json);
  if (type == "Precompiled") {
    const auto bytes = decode_base64(text_of(member(json, "precompiled_charsmap")));
    if (!bytes) throw ParseError(source, "precompiled_charsmap is not base64");
    return std::make_shared<const Charsmap>(source, *bytes);
  }
  unsupported(source, fmt::format("normalizer '{}'", type));
}

splitters::Step metaspace_step(const std::string& source, const Json& json) {
  splitters::Metaspace step;
  if (const Json& symbol = member(json, "replacement"); symbol.is_string())
    step.symbol = text_of(symbol);
  if (step.symbol.empty()) throw ParseError(source, "Metaspace has no replacement");
  step.split = is_true(member(json, "split"), true);
  const std::string scheme = text_of(member(json, "prepend_scheme"));
  if (scheme == "never" || (scheme.empty() && !is_true(member(json, "add_prefix_space"), true)))
    step.prepend = splitters::Prepend::never;
  else if (scheme == "first")
    step.prepend = splitters::Prepend::first;
  else if (!scheme.empty() && scheme != "always")
    unsupported(source, fmt::format("prepend_scheme '{}'", scheme));
  return step;
}

class SplitterReader {
 public:
  SplitterReader(const std::string& source, HfDefinition* definition)
      : source_(source), out_(&definition->splitter) {}

  void read(const Json& json) {
    const std::string type = text_of(member(json, "type"));
    if (type == "Sequence") {
      const Json& parts = member(json, "pretokenizers");
      if (!parts.is_array()) throw ParseError(source_, "a pre_tokenizer has no parts");
      for (const Json& part : parts) {
        if (text_of(member(part, "type")) == "Sequence")
          unsupported(source_, "its pre_tokenizers are nested");
        read(part);
      }
    } else if (type == "Metaspace") {
      out_->add(metaspace_step(source_, json));
    } else if (type == "WhitespaceSplit") {
      out_->add(splitters::WhiteSpace{});
    } else if (type == "BertPreTokenizer") {
      out_->add(splitters::WhiteSpace{.punctuation = true});
    } else if (type == "Split") {
      read_split(json);
    } else if (type == "ByteLevel") {
      read_byte_level(json);
    } else {
      unsupported(source_, fmt::format("pre_tokenizer '{}'", type));
    }
  }

 private:
  void read_split(const Json& json) {
    const Json& pattern = member(json, "pattern");
    const std::string behavior = text_of(member(json, "behavior"));
    const bool invert = is_true(member(json, "invert"));
    const std::string text = text_of(member(pattern, "String"));
    if (!text.empty() && behavior == "MergedWithPrevious" && !invert)
      return out_->add(splitters::After{text});
    const std::string regex = text_of(member(pattern, "Regex"));
    std::string_view clip = regex;
    names_specials_ = clip.starts_with(kSpecialWords);
    if (names_specials_) clip.remove_prefix(kSpecialWords.size());
    if (clip != kClipPattern || behavior != "Removed" || !invert)
      unsupported(source_, "its splitting pattern is another");
    splits_as_clip_ = true;
  }

  void read_byte_level(const Json& json) {
    const bool use_regex = is_true(member(json, "use_regex"), true);
    if (is_true(member(json, "add_prefix_space"), true)) {
      if (splits_as_clip_) unsupported(source_, "its words get spaces");
      out_->add(splitters::PrefixSpace{});
    }
    // After CLIP's pattern the second one splits no word further but the special ones, which are
    // ordinary text then.
    if (splits_as_clip_)
      out_->add(splitters::Clip{.specials = names_specials_ && !use_regex});
    else if (use_regex)
      out_->add(splitters::Gpt2{});
    splits_as_clip_ = false;
  }

  const std::string& source_;
  HfSplitter* out_;
  bool splits_as_clip_ = false, names_specials_ = false;  // a Split that waits for its ByteLevel

 public:
  void finish() const {
    if (splits_as_clip_) unsupported(source_, "its words are not split into bytes");
  }
};

int32_t template_token(const std::string& source, const Json& processor, const Json& piece) {
  const std::string name = text_of(member(member(piece, "SpecialToken"), "id"));
  const Json& ids = member(member(member(processor, "special_tokens"), name.c_str()), "ids");
  if (!ids.is_array() || ids.size() != 1)
    throw ParseError(source, "post_processor names an unknown token");
  return hf_json::token_id(ids[0], source);
}

void read_template(const std::string& source, const Json& processor, HfDefinition* definition) {
  const Json& single = member(processor, "single");
  const auto is_text = [](const Json& piece) { return member(piece, "Sequence").is_object(); };
  if (!single.is_array()) throw ParseError(source, "post_processor has no template");
  const auto text = std::find_if(single.begin(), single.end(), is_text);
  const auto before = text - single.begin(), after = single.end() - text - 1;
  if (text == single.end() || before > 1 || after > 1)
    unsupported(source, "its post_processor adds more than a start and an end token");
  if (before == 1) definition->start_id = template_token(source, processor, single[0]);
  if (after == 1) definition->end_id = template_token(source, processor, single.back());
}

}  // namespace

void read_hf_normalizer(const std::string& source, const Json& normalizer, HfNormalizer* out) {
  if (normalizer.is_null()) return;
  if (text_of(member(normalizer, "type")) != "Sequence")
    return out->add(normalizer_step(source, normalizer));
  const Json& parts = member(normalizer, "normalizers");
  if (!parts.is_array()) throw ParseError(source, "a normalizer has no parts");
  for (const Json& part : parts) out->add(normalizer_step(source, part));
}

void read_hf_pre_tokenizer(const std::string& source, const Json& pre_tokenizer,
                           HfDefinition* definition) {
  if (pre_tokenizer.is_null()) return;
  SplitterReader reader(source, definition);
  reader.read(pre_tokenizer);
  reader.finish();
}

void read_hf_post_processor(const std::string& source, const Json& processor,
                            HfDefinition* definition) {
  if (processor.is_null()) return;
  const std::string type = text_of(member(processor, "type"));
  if (type == "TemplateProcessing") return read_template(source, processor, definition);
  if (type == "Sequence") {
    const Json& parts = member(processor, "processors");
    if (!parts.is_array()) throw ParseError(source, "a post_processor has no parts");
    for (const Json& part : parts)
      if (text_of(member(part, "type")) == "Sequence")
        unsupported(source, "its post_processors are nested");
      else
        read_hf_post_processor(source, part, definition);
    return;
  }
  if (type == "ByteLevel") return;  // moves offsets only
  if (type != "RobertaProcessing" && type != "BertProcessing")
    unsupported(source, fmt::format("post_processor '{}'", type));
  const Json &start = member(processor, "cls"), &end = member(processor, "sep");
  if (!start.is_array() || start.size() != 2 || !end.is_array() || end.size() != 2)
    throw ParseError(source, "post_processor lacks cls or sep");
  definition->start_id = hf_json::token_id(start[1], source);
  definition->end_id = hf_json::token_id(end[1], source);
}

}  // namespace openclip
