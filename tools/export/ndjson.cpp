#include "tools/export/ndjson.h"

#include <fmt/format.h>

#include <cmath>
#include <iterator>
#include <nlohmann/json.hpp>

namespace gilscope {
namespace {

using Json = nlohmann::ordered_json;

std::string dumped(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

const char* word(RowKind kind) {
  switch (kind) {
    case RowKind::run:
      return "run";
    case RowKind::cpu:
      return "core";
    case RowKind::thread:
      return "thread";
    case RowKind::wait:
      return "wait";
    case RowKind::segment:
      break;
  }
  return "segment";
}

// The text as it may stand in a JSON string.
bool is_plain(std::string_view text) {
  for (const char letter : text) {
    if (letter < ' ' || letter > '~' || letter == '"' || letter == '\\') return false;
  }
  return true;
}

}  // namespace

void NdjsonWriter::header(const Report& report) {
  const Json header = {
      {"type", "header"},
      {"schema",
       {{"name", kRowsSchemaName}, {"major", kRowsSchemaMajor}, {"minor", kRowsSchemaMinor}}},
      {"report", report.id},
      {"report_status", report.status},
      {"gilscope", report.gilscope}};
  status_ = file_.write(dumped(header) + '\n');
}

void NdjsonWriter::begin(RowKind kind) {
  line_ = "{\"type\":\"";
  line_ += word(kind);
  line_ += '"';
}

void NdjsonWriter::next(std::string_view column) {
  line_ += ',';
  if (is_plain(column)) {
    line_ += '"';
    line_ += column;
    line_ += '"';
  } else {
    line_ += dumped(Json(column));
  }
  line_ += ':';
}

void NdjsonWriter::number(std::string_view column, uint64_t value) {
  next(column);
  const fmt::format_int digits(value);
  line_.append(digits.data(), digits.size());
}

void NdjsonWriter::real(std::string_view column, double value) {
  if (!std::isfinite(value)) return nothing(column);
  next(column);
  fmt::format_to(std::back_inserter(line_), "{}", value);
}

void NdjsonWriter::truth(std::string_view column, bool value) {
  next(column);
  line_ += value ? "true" : "false";
}

void NdjsonWriter::text(std::string_view column, std::string_view value) {
  next(column);
  if (is_plain(value)) {
    line_ += '"';
    line_ += value;
    line_ += '"';
  } else {
    line_ += dumped(Json(value));
  }
}

void NdjsonWriter::nothing(std::string_view column) {
  next(column);
  line_ += "null";
}

void NdjsonWriter::end() {
  line_ += "}\n";
  if (status_) status_ = file_.write(line_);
}

}  // namespace gilscope
