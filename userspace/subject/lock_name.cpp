#include "userspace/subject/lock_name.h"

#include <algorithm>
#include <charconv>

#include "bpf/lock_words.h"
#include "userspace/base/quote.h"

namespace gilscope {
namespace {

std::optional<uint64_t> number(std::string_view text) {
  const int base = text.starts_with("0x") ? 16 : 10;
  if (base == 16) text.remove_prefix(2);
  uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, base);
  const bool all = error == std::errc() && end == text.data() + text.size();
  return all ? std::optional(value) : std::nullopt;
}

tl::unexpected<Error> no_lock(std::string_view text) {
  return fail(fmt::format("{} names no lock: give {}", in_quotes(text), kLockForms));
}

}  // namespace

gilscope_gil_kind LockName::gil_kind() const {
  if (kind == "rwlock") return GILSCOPE_LOCK_RWLOCK;
  return kind == "cond" ? GILSCOPE_LOCK_COND : GILSCOPE_LOCK_MUTEX;
}

uint64_t LockName::bytes() const {
  if (kind == "rwlock") return GILSCOPE_RWLOCK_BYTES;
  return kind == "cond" ? GILSCOPE_CONDITION_BYTES : GILSCOPE_MUTEX_BYTES;
}

std::string LockName::type() const {
  return "pthread_" + kind + "_t";
}

Result<LockName> parse_lock(std::string_view text) {
  LockName name;
  name.text = text;
  const size_t end = text.find_first_of("@:");
  if (end == text.npos) return no_lock(text);
  name.kind = text.substr(0, end);
  if (name.kind != "mutex" && name.kind != "rwlock" && name.kind != "cond") return no_lock(text);
  std::string_view where = text.substr(end + 1);
  if (text[end] == ':') {
    if (where != "auto") return no_lock(text);
    if (name.kind != "mutex") {
      return fail(
          fmt::format("{}: only a mutex says by its words that it is one, so only "
                      "mutex:auto can be found",
                      in_quotes(text)));
    }
    name.automatic = true;
    return name;
  }
  if (where.starts_with("0x")) {
    name.address = number(where);
    if (!name.address) return no_lock(text);
    if (*name.address % 8 != 0) {
      return fail(fmt::format("{}: a {} lies at a multiple of 8", in_quotes(text), name.type()));
    }
    return name;
  }
  if (where.find("::") != where.npos) {
    return fail(
        fmt::format("{}: give the symbol as the linker has it (nm PROGRAM), such as "
                    "_ZN3log5mutexE",
                    in_quotes(text)));
  }
  if (const size_t colon = where.rfind(':'); colon != where.npos) {
    name.object = where.substr(0, colon);
    where.remove_prefix(colon + 1);
    if (name.object.empty()) return no_lock(text);
  }
  if (const size_t plus = where.rfind('+'); plus != where.npos) {
    const auto offset = number(where.substr(plus + 1));
    if (!offset || *offset >= uint64_t{1} << 40) return no_lock(text);
    name.offset = *offset;
    where = where.substr(0, plus);
  }
  if (where.empty() || std::ranges::any_of(where, [](char c) { return c <= ' ' || c == 0x7f; })) {
    return no_lock(text);
  }
  name.symbol = where;
  return name;
}

}  // namespace gilscope
