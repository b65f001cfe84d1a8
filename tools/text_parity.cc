// The C++ side of tools/parity_text.py: a JSON string a line in, {"clean", "ids"} a line out.
//   text_parity clip VOCABULARY | text_parity hf TOKENIZER_JSON
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>

#include "text/clean.h"
#include "text/clip_tokenizer.h"
#include "text/hf_tokenizer.h"

int main(int argc, char** argv) {
  using namespace openclip;
  if (argc != 3) return 2;
  const bool hf = std::string(argv[1]) == "hf";
  std::unique_ptr<const Tokenizer> tokenizer;
  if (hf)
    tokenizer = HfTokenizer::open(argv[2], {.context_length = 24});
  else
    tokenizer = ClipTokenizer::open(argv[2]);
  for (std::string line; std::getline(std::cin, line);) {
    const auto text = nlohmann::json::parse(line).get<std::string>();
    const nlohmann::json out = {
        {"clean", clean_text(text, hf ? CleanMode::whitespace : CleanMode::lower)},
        {"ids", tokenizer->encode_padded(text)}};
    std::cout << out.dump() << "\n";
  }
}
