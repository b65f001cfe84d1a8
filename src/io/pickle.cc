#include "io/pickle.h"

#include <bit>
#include <cstring>

#include "base/error.h"
#include "io/pickle_opcodes.h"
#include "io/pickle_stack.h"

namespace openclip {

std::string quotable(std::string_view text) {
  constexpr size_t kShown = 100;
  std::string out(text.substr(0, kShown));
  for (char& c : out)
    if (c < ' ' || c > '~') c = '?';
  return text.size() > kShown ? out + "…" : out;
}

namespace {

constexpr uint8_t kNewestProtocol = 5;

}  // namespace

class PickleMachine {
 public:
  PickleMachine(Pickle& pickle, const std::string& source, std::span<const uint8_t> bytes,
                const Pickle::Allowed& allowed, const PickleLimits& limits)
      : pickle_(pickle), source_(source), bytes_(bytes), allowed_(allowed), limits_(limits) {}

  // Returns the offset behind the pickle.
  size_t run() {
    for (size_t count = 0;; ++count) {
      if (count == limits_.max_opcodes) fail("has more opcodes than any checkpoint");
      opcode_at_ = at_;
      const uint8_t op = take(1)[0];
      if (op == kStop) break;
      if (!scalar(op) && !container(op) && !memo(op) && !call(op)) unknown(op);
    }
    pickle_.root_ = stack_.pop();
    if (!stack_.is_empty()) fail("leaves values on its stack");
    return at_;
  }

 private:
  [[noreturn]] void fail(const std::string& problem) const {
    throw ParseError(source_, fmt::format("the pickle {} (byte {})", problem, opcode_at_));
  }
  [[noreturn]] void unknown(uint8_t op) const {
    fail(fmt::format("uses opcode 0x{:02x}, which PyTorch does not write", op));
  }

  // --- reading ---
  std::span<const uint8_t> take(uint64_t count) {
    if (count > bytes_.size() - at_) fail(fmt::format("wants {} bytes beyond its end", count));
    const auto part = bytes_.subspan(at_, static_cast<size_t>(count));
    at_ += part.size();
    return part;
  }
  uint64_t number(size_t size) {
    uint64_t value = 0;
    const auto part = take(size);
    for (size_t i = size; i-- > 0;) value = value << 8 | part[i];
    return value;
  }
  std::string_view text(uint64_t size) {
    const auto part = take(size);
    return {reinterpret_cast<const char*>(part.data()), part.size()};
  }
  std::string_view line() {
    const void* end = std::memchr(bytes_.data() + at_, '\n', bytes_.size() - at_);
    if (end == nullptr) fail("has a line without end");
    const auto* begin = reinterpret_cast<const char*>(bytes_.data() + at_);
    const std::string_view found(begin, static_cast<size_t>(static_cast<const char*>(end) - begin));
    at_ += found.size() + 1;
    return found;
  }

  bool add_text(PickleKind kind, uint64_t size) {
    return stack_.add({.kind = kind, .text = text(size)});
  }

  // --- opcodes; each returns whether `op` was one of its own ---
  bool add_integer(int64_t value) {
    return stack_.add({.kind = PickleKind::integer, .integer = value});
  }

  // Two's complement of any length.
  bool add_long(uint64_t size) {
    const std::string_view raw = text(size);
    if (raw.size() > 8) return stack_.add({.kind = PickleKind::big_integer, .text = raw});
    uint64_t value = !raw.empty() && (raw.back() & 0x80) != 0 ? ~uint64_t{0} : 0;
    for (size_t i = raw.size(); i-- > 0;) value = value << 8 | static_cast<uint8_t>(raw[i]);
    return add_integer(static_cast<int64_t>(value));
  }

  bool scalar(uint8_t op) {
    switch (op) {
      case kProto:
        if (const uint64_t version = number(1); version > kNewestProtocol)
          fail(fmt::format("is of protocol {}", version));
        return true;
      case kFrame:
        return take(8).size() == 8;
      case kNone:
        return stack_.add({.kind = PickleKind::none});
      case kNewTrue:
        return stack_.add({.kind = PickleKind::boolean, .integer = 1});
      case kNewFalse:
        return stack_.add({.kind = PickleKind::boolean, .integer = 0});
      case kBinInt:
        return add_integer(static_cast<int32_t>(number(4)));
      case kBinInt1:
        return add_integer(static_cast<int64_t>(number(1)));
      case kBinInt2:
        return add_integer(static_cast<int64_t>(number(2)));
      case kLong1:
        return add_long(number(1));
      case kLong4:
        return add_long(number(4));
      case kBinFloat:
        return add_real();
      case kBinUnicode:
      case kBinString:
        return add_text(PickleKind::text, number(4));
      case kShortBinUnicode:
      case kShortBinString:
        return add_text(PickleKind::text, number(1));
      case kBinUnicode8:
        return add_text(PickleKind::text, number(8));
      case kShortBinBytes:
        return add_text(PickleKind::bytes, number(1));
      case kBinBytes:
        return add_text(PickleKind::bytes, number(4));
      case kBinBytes8:
      case kByteArray8:
        return add_text(PickleKind::bytes, number(8));
      default:
        return false;
    }
  }

  bool add_real() {  // big-endian, unlike everything else
    uint64_t bits = 0;
    for (const uint8_t byte : take(8)) bits = bits << 8 | byte;
    return stack_.add({.kind = PickleKind::real, .real = std::bit_cast<double>(bits)});
  }

  bool container(uint8_t op) {
    switch (op) {
      case kMark:
        return stack_.mark();
      case kPop:
        return stack_.discard();
      case kPopMark:
        stack_.pop_to_mark();
        return true;
      case kDup:
        stack_.push(stack_.top_id());
        return true;
      case kEmptyTuple:
        return stack_.add_items(PickleKind::tuple, {});
      case kTuple1:
        return stack_.add_tuple(1);
      case kTuple2:
        return stack_.add_tuple(2);
      case kTuple3:
        return stack_.add_tuple(3);
      case kTuple:
        return stack_.add_items(PickleKind::tuple, stack_.pop_to_mark());
      case kEmptyList:
      case kEmptySet:
        return stack_.add_items(PickleKind::list, {});
      case kList:
      case kFrozenSet:
        return stack_.add_items(PickleKind::list, stack_.pop_to_mark());
      case kEmptyDict:
        return stack_.add_items(PickleKind::dict, {});
      case kDict: {
        const std::vector<PickleId> items = stack_.pop_to_mark();
        return stack_.add_items(PickleKind::dict, {}) && stack_.put_into(items, true);
      }
      case kAppend:
        return stack_.put_last(1, false);
      case kSetItem:
        return stack_.put_last(2, true);
      case kAppends:
      case kAddItems:
        return stack_.put_into(stack_.pop_to_mark(), false);
      case kSetItems:
        return stack_.put_into(stack_.pop_to_mark(), true);
      default:
        return false;
    }
  }

  bool memo(uint8_t op) {
    switch (op) {
      case kBinPut:
        return stack_.remember(number(1));
      case kLongBinPut:
        return stack_.remember(number(4));
      case kMemoize:
        return stack_.remember_next();
      case kBinGet:
        return stack_.recall(number(1));
      case kLongBinGet:
        return stack_.recall(number(4));
      default:
        return false;
    }
  }

  bool add_global(std::string_view module, std::string_view name) {
    const std::string full = fmt::format("{}.{}", module, name);
    if (!allowed_(full))
      throw Unsupported(fmt::format(
          "{}: holds Python's '{}', which is neither a tensor nor plain data and is not run; save "
          "only the state_dict",
          source_, quotable(full)));
    pickle_.names_.push_back(full);
    return stack_.add({.kind = PickleKind::global, .text = pickle_.names_.back()});
  }

  bool add_stack_global() {
    const PickleId name = stack_.pop(), module = stack_.pop();
    const PickleNode &a = stack_.node(module), &b = stack_.node(name);
    if (a.kind != PickleKind::text || b.kind != PickleKind::text) fail("names a global by no text");
    return add_global(a.text, b.text);
  }

  // What is called must be a global, which was checked when it was read.
  bool add_object(PickleId callable, PickleId args) {
    if (stack_.node(callable).kind != PickleKind::global) fail("calls what is no global");
    return stack_.add({.kind = PickleKind::object, .callable = callable, .args = args});
  }

  bool add_call() {
    const PickleId args = stack_.pop(), callable = stack_.pop();
    if (stack_.node(args).kind != PickleKind::tuple) fail("calls without a tuple of arguments");
    return add_object(callable, args);
  }

  // OBJ: mark, class, arguments; INST: mark, arguments, with the class on the top already.
  bool add_instance(bool class_is_last) {
    const PickleId last = class_is_last ? stack_.pop() : 0;
    std::vector<PickleId> items = stack_.pop_to_mark();
    if (!class_is_last && items.empty()) fail("makes an instance of nothing");
    const PickleId callable = class_is_last ? last : items.front();
    if (!class_is_last) items.erase(items.begin());
    stack_.add_items(PickleKind::tuple, std::move(items));
    return add_object(callable, stack_.pop());
  }

  bool call(uint8_t op) {
    switch (op) {
      case kGlobal: {
        const std::string_view module = line(), name = line();
        return add_global(module, name);
      }
      case kStackGlobal:
        return add_stack_global();
      case kReduce:
      case kNewObj:
        return add_call();
      case kNewObjEx:
        stack_.pop();
        return add_call();  // keyword arguments
      case kInst: {
        const std::string_view module = line(), name = line();
        return add_global(module, name) && add_instance(true);
      }
      case kObj:
        return add_instance(false);
      case kBuild: {
        const PickleId state = stack_.pop();
        if (stack_.top().kind != PickleKind::object) fail("gives attributes to what has none");
        stack_.top().state = state;
        return true;
      }
      case kBinPersId:
        return stack_.add({.kind = PickleKind::reference, .args = stack_.pop()});
      default:
        return false;
    }
  }

  Pickle& pickle_;
  const std::string& source_;
  std::span<const uint8_t> bytes_;
  const Pickle::Allowed& allowed_;
  PickleLimits limits_;
  size_t at_ = 0, opcode_at_ = 0;
  PickleStack stack_{pickle_.nodes_, limits_,
                     [this](const std::string& problem) { fail(problem); }};
};

Pickle::Pickle(const std::string& source, std::span<const uint8_t> bytes, const Allowed& allowed,
               size_t* end, const PickleLimits& limits) {
  const size_t behind = PickleMachine(*this, source, bytes, allowed, limits).run();
  if (end != nullptr) *end = behind;
}

}  // namespace openclip
