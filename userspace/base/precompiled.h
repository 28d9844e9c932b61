// Headers of the system and the libraries that most files use, which the Makefile has the compiler
// read once. Nobody includes this: a file includes what it uses, and `make includes` compiles each
// without. Not among them is what few use and every file would pay for, as nlohmann's (0.5 s each
// with g++ 12).
#pragma once

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <tuple>
#include <utility>
#include <variant>
#include <vector>
