// How every page begins: its style is in it, and nothing that a report says can have it fetch or
// send anything.
#pragma once

#include <string>
#include <string_view>

namespace gilscope {

struct PageHead {
  std::string_view first_line;  // by which a page is known
  std::string scripts;          // as a content security policy has it: 'none', or a hash
  std::string title;            // as text
};

std::string page_head(const PageHead& head);

}  // namespace gilscope
