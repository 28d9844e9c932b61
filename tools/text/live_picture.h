// A picture of `gilscope top` as lines of text.
#pragma once

#include <string>
#include <vector>

#include "userspace/live/picture.h"

namespace gilscope {

std::vector<std::string> draw_picture(const Picture& picture, const PictureLayout& layout);

}  // namespace gilscope
