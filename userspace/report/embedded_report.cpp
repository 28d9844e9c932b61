#include "userspace/report/embedded_report.h"

#include <lzma.h>

#include <algorithm>
#include <array>
#include <new>
#include <optional>

namespace gilscope {
namespace {

constexpr std::string_view kOpening =
    "<script type=\"application/x-gilscope-report\" id=\"report\">";
constexpr std::string_view kClosing = "</script>";
constexpr std::string_view kAlphabet =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

// Ten times what decoding pack_report()'s output needs.
constexpr uint64_t kMaxDecoderBytes = uint64_t{128} << 20;

size_t packed_size(size_t base64) {
  return base64 / 4 * 3;
}

std::optional<std::string> from_base64(std::string_view text) {
  static const std::array<int8_t, 256> kValues = [] {
    std::array<int8_t, 256> values;
    values.fill(-1);
    for (size_t i = 0; i < kAlphabet.size(); ++i) values[uint8_t(kAlphabet[i])] = int8_t(i);
    return values;
  }();
  if (text.size() % 4 != 0) return std::nullopt;
  const size_t padding = text.ends_with("==") ? 2 : text.ends_with("=") ? 1 : 0;
  std::string bytes;
  bytes.reserve(packed_size(text.size()));
  uint32_t bits = 0;
  int known = 0;
  for (const char c : text.substr(0, text.size() - padding)) {
    const int value = kValues[uint8_t(c)];
    if (value < 0) return std::nullopt;
    bits = bits << 6 | uint32_t(value);
    if ((known += 6) < 8) continue;
    known -= 8;
    bytes += char(bits >> known & 0xff);
  }
  return bytes;
}

class Decoder {
 public:
  Decoder() : ready_(lzma_stream_decoder(&stream_, kMaxDecoderBytes, 0) == LZMA_OK) {}
  ~Decoder() { lzma_end(&stream_); }
  Decoder(const Decoder&) = delete;
  Decoder& operator=(const Decoder&) = delete;

  Result<std::string> decode(std::string_view bytes, const std::string& origin, size_t max_bytes) {
    const auto damaged = [&] {
      return fail(Exit::no_data, origin + ": the report in this page is damaged");
    };
    if (!ready_) return fail(origin + ": too little memory to unpack its report");
    std::string text;
    stream_.next_in = reinterpret_cast<const uint8_t*>(bytes.data());
    stream_.avail_in = bytes.size();
    size_t used = 0;
    for (;;) {
      if (used == max_bytes) {
        return fail(Exit::no_data, fmt::format("{}: unpacks to more than {} MiB, not a report",
                                               origin, max_bytes >> 20));
      }
      text.resize(used == 0 ? std::min(size_t{1} << 16, max_bytes) : std::min(used * 2, max_bytes));
      stream_.next_out = reinterpret_cast<uint8_t*>(text.data()) + used;
      stream_.avail_out = text.size() - used;
      const lzma_ret result = lzma_code(&stream_, LZMA_FINISH);
      used = text.size() - stream_.avail_out;
      if (result == LZMA_STREAM_END) break;
      if (result == LZMA_MEM_ERROR)
        return fail(origin + ": too large for the memory of this machine");
      if (result != LZMA_OK || stream_.avail_out != 0) return damaged();
    }
    if (stream_.avail_in != 0) return damaged();
    text.resize(used);
    return text;
  }

 private:
  lzma_stream stream_ = LZMA_STREAM_INIT;
  bool ready_;
};

}  // namespace

std::string to_base64(std::string_view bytes) {
  std::string text;
  text.reserve((bytes.size() + 2) / 3 * 4);
  for (size_t i = 0; i < bytes.size(); i += 3) {
    const size_t have = std::min<size_t>(3, bytes.size() - i);
    uint32_t bits = 0;
    for (size_t k = 0; k < 3; ++k) bits = bits << 8 | (k < have ? uint8_t(bytes[i + k]) : 0);
    for (size_t k = 0; k < 4; ++k) {
      text += k <= have ? kAlphabet[bits >> (18 - 6 * k) & 63] : '=';
    }
  }
  return text;
}

std::string pack_report(std::string_view json, size_t room) {
  const size_t overhead = kOpening.size() + kClosing.size() + 4;
  if (room <= overhead) return "";
  // The encoder fails as soon as it runs out of room.
  std::string packed(packed_size(room - overhead), '\0');
  size_t used = 0;
  const lzma_ret result = lzma_easy_buffer_encode(
      6, LZMA_CHECK_CRC64, nullptr, reinterpret_cast<const uint8_t*>(json.data()), json.size(),
      reinterpret_cast<uint8_t*>(packed.data()), &used, packed.size());
  packed.resize(result == LZMA_OK ? used : 0);
  return packed;
}

std::string embed_report(const std::string& packed) {
  return std::string(kOpening) + to_base64(packed) + std::string(kClosing) + "\n";
}

bool is_page(std::string_view text) {
  return text.starts_with(kPageFirstLine);
}

Result<std::string> unpack_report(std::string_view page, const std::string& origin,
                                  size_t max_bytes) {
  // No text of a report can look like the opening: a page escapes every '<' in it.
  size_t from = page.find(kOpening);
  if (from == std::string_view::npos) {
    return fail(Exit::no_data, origin + ": this page carries no report; it may be cut short");
  }
  from += kOpening.size();
  const size_t to = page.find(kClosing, from);
  if (to == std::string_view::npos) {
    return fail(Exit::no_data, origin + ": the report in this page is cut short");
  }
  if (page.find(kOpening, to) != std::string_view::npos) {
    return fail(Exit::no_data, origin + ": carries more than one report; give each page by itself");
  }
  const std::optional<std::string> packed = from_base64(page.substr(from, to - from));
  if (!packed) return fail(Exit::no_data, origin + ": the report in this page is damaged");
  return Decoder().decode(*packed, origin, max_bytes);
}

}  // namespace gilscope
