// docs/metrics.md in the page, so that a number's definition is one click away and the same as in
// the documents.
#pragma once

#include <string>
#include <string_view>

namespace gilscope {

// Headings, paragraphs, lists, tables and code, as far as the documents use them. The names in a
// table's first column, and terms in bold, become anchors.
std::string html_of_markdown(std::string_view text);

// All of docs/metrics.md.
const std::string& definitions();

// The anchor in definitions() of a key, of a key that ends in it ("trace.wakeups"), or of a term in
// lower case; empty: there is none.
std::string definition_of(const std::string& key);

}  // namespace gilscope
