// Headers that most files include and that do not change: Makefile has clang read them once. None
// of ours is among them, so that a change to one of ours is seen.
#pragma once

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <ranges>
#include <set>
#include <span>
#include <sstream>
#include <string>
#include <tl/expected.hpp>
#include <tuple>
#include <variant>
#include <vector>
