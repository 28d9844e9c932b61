// The copy of its report that a page of `gilscope html` carries, packed (xz) and in base64, so that
// the page can be read like the report. A page is trusted no more than a report.
#pragma once

#include <string>
#include <string_view>

#include "userspace/base/result.h"

namespace gilscope {

// The first line of a page, by which it is recognized.
inline constexpr std::string_view kPageFirstLine = "<!DOCTYPE html><!-- gilscope page 1 -->";

std::string to_base64(std::string_view bytes);

// Empty where the packed report needs more than `room` bytes.
std::string pack_report(std::string_view json, size_t room);
// The element that carries a packed report in its page.
std::string embed_report(const std::string& packed);

bool is_page(std::string_view text);
// A limit for reports that unpack to far more than their size, so that none exhausts memory.
inline constexpr size_t kMaxUnpackedBytes = size_t{1} << 30;

// Fails with Exit::no_data where the page carries no report, or one that is damaged or larger than
// `max_bytes`. `origin` names the page in errors.
Result<std::string> unpack_report(std::string_view page, const std::string& origin,
                                  size_t max_bytes = kMaxUnpackedBytes);

}  // namespace gilscope
