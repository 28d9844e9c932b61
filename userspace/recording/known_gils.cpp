#include "userspace/recording/known_gils.h"

#include <algorithm>

#include "userspace/subject/holder.h"

namespace gilscope {
namespace {

gilscope_gil moved(gilscope_gil gil, uint64_t by) {
  for (__u64* address : {&gil.condition, &gil.mutex, &gil.switch_condition, &gil.switch_mutex,
                         &gil.words, &gil.locked, &gil.current}) {
    if (*address) *address += by;
  }
  return gil;
}

}  // namespace

std::vector<gilscope_gil> gils_of(const Subject& subject, uint64_t wrong_by) {
  std::vector<gilscope_gil> gils;
  for (const GilPlace& place : subject.gils) gils.push_back(moved(place.gil, wrong_by));
  return gils;
}

void add_gils(Subject& known, const Subject& found) {
  for (const GilPlace& place : found.gils) {
    const auto same = [&](const GilPlace& other) { return other.gil.words == place.gil.words; };
    if (std::ranges::none_of(known.gils, same)) known.gils.push_back(place);
  }
}

bool has_holder(const Subject& subject, uint64_t wrong_by) {
  return std::ranges::any_of(subject.gils, [&](GilPlace place) {
    place.gil = moved(place.gil, wrong_by);
    const auto holder = holder_of(subject, place);
    return holder && holder->tid != 0;
  });
}

}  // namespace gilscope
