#include "tools/html/page_head.h"

#include <fmt/format.h>

#include "tools/html/markup.h"

namespace gilscope {
namespace {

constexpr std::string_view kStyle =
#include "tools/html/page.css.inc"
    ;

}  // namespace

std::string page_head(const PageHead& head) {
  return fmt::format(
      "{}\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n"
      "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src "
      "'unsafe-inline'; script-src {}; img-src data:; base-uri 'none'; form-action "
      "'none'\">\n<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
      "<meta name=\"color-scheme\" content=\"light dark\">\n<link rel=\"icon\" href=\"data:,\">\n"
      "<title>{}</title>\n<style>{}</style>\n</head>\n<body>\n",
      head.first_line, head.scripts, escaped(head.title), kStyle);
}

}  // namespace gilscope
