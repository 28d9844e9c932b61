#include "tools/html/definitions.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <set>
#include <vector>

namespace gilscope {
namespace {

constexpr std::string_view kMetrics =
#include "docs/metrics.md.inc"
    ;

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
  while (!text.empty() && text.back() == ' ') text.remove_suffix(1);
  return text;
}

std::string escaped_code(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '&')
      out += "&amp;";
    else if (c == '<')
      out += "&lt;";
    else if (c == '>')
      out += "&gt;";
    else
      out += c;
  }
  return out;
}

std::string anchor_of(std::string_view term) {
  std::string anchor = "def-";
  for (const char c : term) {
    const bool plain = std::isalnum(static_cast<unsigned char>(c)) || c == '_';
    anchor += plain ? char(std::tolower(static_cast<unsigned char>(c))) : '-';
  }
  return anchor;
}

class Markdown {
 public:
  explicit Markdown(std::string_view text) {
    while (!text.empty()) {
      const size_t end = std::min(text.find('\n'), text.size());
      lines_.push_back(text.substr(0, end));
      text.remove_prefix(std::min(end + 1, text.size()));
    }
  }

  std::string html() {
    for (at_ = 0; at_ < lines_.size();) {
      const std::string_view line = lines_[at_];
      if (trimmed(line).empty() || line.starts_with("<!--")) {
        ++at_;
      } else if (line.starts_with("#")) {
        heading();
      } else if (line.starts_with("|")) {
        table();
      } else if (line.starts_with("- ")) {
        list();
      } else if (line.starts_with("    ")) {
        code();
      } else {
        out_ += "<p>" + in_line(paragraph()) + "</p>\n";
      }
    }
    return std::move(out_);
  }

 private:
  bool begins_something() const {
    const std::string_view line = lines_[at_];
    return trimmed(line).empty() || line.starts_with("#") || line.starts_with("|") ||
           line.starts_with("- ");
  }

  std::string paragraph() {
    std::string text(trimmed(lines_[at_++]));
    while (at_ < lines_.size() && !begins_something()) {
      text += " " + std::string(trimmed(lines_[at_++]));
    }
    return text;
  }

  void heading() {
    const std::string_view line = lines_[at_++];
    const size_t level = line.find_first_not_of('#');
    if (level == std::string_view::npos) return;
    // The page's own headings have the first three levels.
    out_ += fmt::format("<h{0}>{1}</h{0}>\n", std::min<size_t>(level + 2, 6),
                        in_line(trimmed(line.substr(level))));
  }

  void list() {
    out_ += "<ul>\n";
    while (at_ < lines_.size() && lines_[at_].starts_with("- ")) {
      lines_[at_].remove_prefix(2);
      out_ += "<li>" + in_line(paragraph()) + "</li>\n";
    }
    out_ += "</ul>\n";
  }

  void code() {
    out_ += "<pre>";
    while (at_ < lines_.size() && lines_[at_].starts_with("    ")) {
      out_ += escaped_code(lines_[at_++].substr(4)) + "\n";
    }
    out_ += "</pre>\n";
  }

  static std::vector<std::string_view> row_of(std::string_view line) {
    std::vector<std::string_view> row;
    line = trimmed(line);
    line.remove_prefix(1);
    while (!line.empty()) {
      const size_t end = std::min(line.find('|'), line.size());
      row.push_back(trimmed(line.substr(0, end)));
      line.remove_prefix(std::min(end + 1, line.size()));
    }
    return row;
  }

  void table() {
    out_ += "<div class=\"scroll\"><table class=\"text\">\n";
    for (bool head = true; at_ < lines_.size() && lines_[at_].starts_with("|"); ++at_) {
      if (lines_[at_].starts_with("|--")) continue;
      out_ += "<tr>";
      for (size_t column = 0; const std::string_view cell : row_of(lines_[at_])) {
        naming_ = !head && column == 0;
        out_ += head ? "<th>" : "<td>";
        out_ += in_line(cell);
        naming_ = false;
        ++column;
      }
      out_ += "</tr>\n";
      head = false;
    }
    out_ += "</table></div>\n";
  }

  // `code`, **terms** and links; of a link only the text stays.
  std::string in_line(std::string_view text) {
    std::string out;
    while (!text.empty()) {
      const size_t at = text.find_first_of("`*[");
      out += escaped_code(text.substr(0, at));
      if (at == std::string_view::npos) break;
      text.remove_prefix(at);
      if (!(span(text, "`", "`", "code", naming_, out) || span(text, "**", "**", "b", true, out) ||
            link(text, out))) {
        out += text.front();
        text.remove_prefix(1);
      }
    }
    return out;
  }

  bool span(std::string_view& text, std::string_view open, std::string_view close,
            const char* element, bool named, std::string& out) {
    if (!text.starts_with(open)) return false;
    const size_t end = text.find(close, open.size());
    if (end == std::string_view::npos) return false;
    const std::string_view inner = text.substr(open.size(), end - open.size());
    // The anchor of a name that is explained twice is where it first stands.
    const std::string anchor = anchor_of(inner);
    out += named && anchors_.insert(anchor).second ? fmt::format("<{} id=\"{}\">", element, anchor)
                                                   : fmt::format("<{}>", element);
    out += fmt::format("{}</{}>", escaped_code(inner), element);
    text.remove_prefix(end + close.size());
    return true;
  }

  static bool link(std::string_view& text, std::string& out) {
    const size_t middle = text.find("](");
    if (!text.starts_with("[") || middle == std::string_view::npos) return false;
    const size_t end = text.find(')', middle);
    if (end == std::string_view::npos) return false;
    out += escaped_code(text.substr(1, middle - 1));
    text.remove_prefix(end + 1);
    return true;
  }

  std::vector<std::string_view> lines_;
  size_t at_ = 0;
  bool naming_ = false;
  std::set<std::string> anchors_;
  std::string out_;
};

}  // namespace

std::string html_of_markdown(std::string_view text) {
  return Markdown(text).html();
}

const std::string& definitions() {
  static const std::string html = html_of_markdown(kMetrics);
  return html;
}

std::string definition_of(const std::string& key) {
  if (key.empty()) return "";
  const std::string anchor = anchor_of(key);
  if (definitions().find("id=\"" + anchor + "\"") != std::string::npos) return anchor;
  // The number may be defined under a longer name: "trace.wakeups".
  const std::string id = "id=\"", last = anchor.substr(std::string_view("def").size()) + "\"";
  const size_t end = definitions().find(last);
  if (end == std::string::npos) return "";
  const size_t begin = definitions().rfind(id, end);
  if (begin == std::string::npos) return "";
  const std::string longer =
      definitions().substr(begin + id.size(), end + last.size() - 1 - begin - id.size());
  return longer.find_first_of("\"> ") == std::string::npos ? longer : "";
}

}  // namespace gilscope
