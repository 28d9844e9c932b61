#include "userspace/recording/spec.h"

#include <sstream>

#include "userspace/base/quote.h"
#include "userspace/base/toml.h"

namespace gilscope {

std::string recording_spec(const std::string& command, const std::vector<std::string>& argv,
                           const std::string& trace, const std::string& lock) {
  toml::array words;
  for (const std::string& word : argv) words.push_back(printable(word));
  toml::table spec{{"name", printable(command)}, {"trace", trace}};
  spec.insert("command", std::move(words));
  if (!lock.empty()) spec.insert("lock", printable(lock));
  std::ostringstream text;
  text << spec << "\n";
  return text.str();
}

}  // namespace gilscope
