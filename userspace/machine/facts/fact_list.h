// Collects the facts of a capture: each with its value, or null with a reason.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "userspace/base/quote.h"
#include "userspace/base/result.h"
#include "userspace/report/facts.h"

namespace gilscope {

class FactList {
 public:
  void add(std::string key, std::string text) { put(std::move(key), printable(text)); }
  void add(std::string key, const char* text) { put(std::move(key), std::string(text)); }
  void add(std::string key, bool value) { put(std::move(key), value); }
  void add(std::string key, int64_t value) { put(std::move(key), value); }
  void add(std::string key, double value) { put(std::move(key), value); }
  void add(std::string key, std::vector<int64_t> values) { put(std::move(key), std::move(values)); }
  void add(std::string key, std::vector<std::string> texts) {
    for (std::string& text : texts) text = printable(text);
    put(std::move(key), std::move(texts));
  }
  void add(std::string key, const std::vector<int>& values) {
    put(std::move(key), std::vector<int64_t>(values.begin(), values.end()));
  }

  void add_null(std::string key, std::string reason) {
    facts_.push_back({std::move(key), std::monostate(), printable(reason)});
  }

  template <typename T>
  void add(std::string key, Result<T> result) {
    if (result) {
      add(std::move(key), std::move(*result));
    } else {
      add_null(std::move(key), result.error().message);
    }
  }

  Facts take() { return std::move(facts_); }

 private:
  template <typename T>
  void put(std::string key, T value) {
    facts_.push_back({std::move(key), std::move(value), {}});
  }

  Facts facts_;
};

}  // namespace gilscope
