#include "tools/html/html_table.h"

#include <fmt/format.h>

#include <cmath>

#include "tools/html/markup.h"

namespace gilscope {

void HtmlTable::row(const std::string& label, const std::vector<Datum>& data,
                    const std::string& attributes) {
  rows_ += "<tr" + (attributes.empty() ? "" : " " + attributes) + "><th scope=\"row\">" + label;
  for (size_t i = 0; i < data.size(); ++i) {
    rows_ += "<td";
    if (!data[i].verdict.empty()) rows_ += fmt::format(" class=\"{}\"", escaped(data[i].verdict));
    const std::string& key = columns_[i + 1].key;
    if (!key.empty() && data[i].value && std::isfinite(*data[i].value)) {
      rows_ +=
          fmt::format(" data-key=\"{}\" data-value=\"{}\"", escaped(key), plain(*data[i].value));
    }
    rows_ += ">" + number_html(data[i].shown);
  }
  rows_ += "\n";
}

void HtmlTable::note(const std::string& text) {
  rows_ +=
      fmt::format("<tr class=\"note\"><td colspan=\"{}\">{}\n", columns_.size(), escaped(text));
}

std::string HtmlTable::head() const {
  bool grouped = false;
  for (const Column& column : columns_) grouped = grouped || !column.group.empty();
  std::string out = "<thead>";
  if (grouped) {
    out += "<tr>";
    for (size_t i = 0; i < columns_.size();) {
      size_t end = i + 1;
      while (end < columns_.size() && columns_[end].group == columns_[i].group) ++end;
      out += fmt::format("<th colspan=\"{}\"{}>{}", end - i,
                         columns_[i].group.empty() ? "" : " class=\"group\" scope=\"colgroup\"",
                         escaped(columns_[i].group));
      i = end;
    }
    out += "\n";
  }
  out += "<tr>";
  for (const Column& column : columns_) {
    out += "<th scope=\"col\">" + definition_link(column.key, column.name);
  }
  return out + "</thead>\n";
}

std::string HtmlTable::html() const {
  // A paragraph, because a caption would scroll with its table.
  return fmt::format(
      "<p class=\"title\">{0}</p>\n<div class=\"scroll\" tabindex=\"0\" role=\"region\" "
      "aria-label=\"{0}\"><table>\n{1}<tbody>{2}</tbody></table></div>\n",
      escaped(title_), head(), rows_);
}

}  // namespace gilscope
