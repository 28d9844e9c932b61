#include "tools/text/table.h"

#include <algorithm>
#include <cstdint>

namespace gilscope {
namespace {

constexpr size_t kGap = 2;

std::string spaces(size_t n) {
  return std::string(n, ' ');
}

std::string right(const std::string& text, size_t width) {
  const size_t used = columns(text);
  return spaces(width > used ? width - used : 0) + text;
}

std::string left(const std::string& text, size_t width) {
  const size_t used = columns(text);
  return text + spaces(width > used ? width - used : 0);
}

void put_line(std::ostream& out, std::string line) {
  line.erase(line.find_last_not_of(' ') + 1);
  out << line << "\n";
}

// ---- name ----
std::string bracket(const std::string& name, size_t width) {
  const size_t room = width - columns(name);
  if (room < 4) return spaces(room / 2) + name + spaces(room - room / 2);
  const size_t before = (room - 2) / 2, after = room - 2 - before;
  return std::string(before, '-') + " " + name + " " + std::string(after, '-');
}

}  // namespace

size_t columns(std::string_view text) {
  size_t count = 0;
  for (const char c : text) count += (uint8_t(c) & 0xc0) != 0x80;
  return count;
}

struct Table::Layout {
  struct Place {
    size_t digits = 0, unit = 0, width = 0;
    bool shown = true;
  };
  const std::vector<Column>& columns;
  std::vector<Place> places;
  size_t gap_in_group = kGap;

  size_t gap_before(size_t c) const {
    if (c == 0) return 0;
    const std::string& group = columns[c].group;
    for (size_t b = c; !group.empty() && b > 1 && columns[b - 1].group == group; --b) {
      if (places[b - 1].shown) return gap_in_group;
    }
    return kGap;
  }
  size_t width() const {
    size_t total = 0;
    for (size_t c = 0; c < places.size(); ++c) {
      if (places[c].shown) total += gap_before(c) + places[c].width;
    }
    return total;
  }
};

void Table::measure(Layout& layout) const {
  auto& places = layout.places;
  places.assign(columns_.size(), {});
  for (size_t c = 0; c < places.size(); ++c) places[c].width = columns(columns_[c].name);
  for (const Row& row : rows_) {
    if (row.numbers.empty()) continue;
    places[0].width = std::max(places[0].width, columns(row.label));
    for (size_t n = 0; n < row.numbers.size(); ++n) {
      places[n + 1].digits = std::max(places[n + 1].digits, row.numbers[n].digits.size());
      places[n + 1].unit = std::max(places[n + 1].unit, row.numbers[n].unit.size());
    }
  }
  for (size_t c = 1; c < places.size(); ++c) {
    const size_t numbers = places[c].digits + (places[c].unit ? 1 + places[c].unit : 0);
    places[c].width = std::max(places[c].width, numbers);
  }
}

// Widens a group's first shown column where the group's name is wider than its columns.
void Table::fit_groups(Layout& layout) const {
  for (size_t c = 1, next; c < columns_.size(); c = next) {
    size_t span = 0, first = 0;
    for (next = c; next < columns_.size() && columns_[next].group == columns_[c].group; ++next) {
      if (!layout.places[next].shown) continue;
      span += (first ? layout.gap_in_group : 0) + layout.places[next].width;
      if (!first) first = next;
    }
    const size_t wanted = columns(columns_[c].group);
    if (first && span < wanted) layout.places[first].width += wanted - span;
  }
}

Table::Layout Table::lay_out(size_t width) const {
  Layout layout{columns_, {}, kGap};
  measure(layout);
  fit_groups(layout);
  while (layout.width() > width) {
    if (layout.gap_in_group > 1) {
      layout.gap_in_group = 1;
    } else {
      size_t victim = 0;
      for (size_t c = 1; c < columns_.size(); ++c) {
        if (layout.places[c].shown && columns_[c].drop > columns_[victim].drop) victim = c;
      }
      if (victim == 0) break;
      layout.places[victim].shown = false;
    }
    fit_groups(layout);
  }
  // The labels give way last: a label that is too long gets a line of its own.
  size_t& label = layout.places[0].width;
  const size_t others = layout.width() - label;
  label = std::min(label, std::max<size_t>(8, width > others ? width - others : 0));
  return layout;
}

void Table::print_groups(std::ostream& out, const Layout& layout) const {
  std::string line = spaces(layout.places[0].width);
  bool any = false;
  for (size_t c = 1; c < columns_.size();) {
    const std::string& group = columns_[c].group;
    size_t span = 0, next = c;
    do {
      if (layout.places[next].shown) {
        span += (span ? layout.gap_in_group : 0) + layout.places[next].width;
      }
      ++next;
    } while (!group.empty() && next < columns_.size() && columns_[next].group == group);
    if (span) {
      line += spaces(kGap) + (group.empty() ? spaces(span) : bracket(group, span));
      any = any || !group.empty();
    }
    c = next;
  }
  if (any) put_line(out, line);
}

void Table::print(std::ostream& out, int width) const {
  const Layout layout = lay_out(size_t(std::max(width, 20)));
  const auto& places = layout.places;
  print_groups(out, layout);
  std::string line = left(columns_[0].name, places[0].width);
  for (size_t c = 1; c < columns_.size(); ++c) {
    if (!places[c].shown) continue;
    line += spaces(layout.gap_before(c)) + right(columns_[c].name, places[c].width);
  }
  put_line(out, line);

  for (const Row& row : rows_) {
    if (row.numbers.empty()) {
      put_line(out, row.label);
      continue;
    }
    std::string label = row.label;
    if (columns(label) > places[0].width) {
      put_line(out, label);
      label.clear();
    }
    line = left(label, places[0].width);
    for (size_t c = 1; c < columns_.size(); ++c) {
      if (!places[c].shown) continue;
      const Number& number = row.numbers[c - 1];
      std::string text = number.digits;
      if (places[c].unit) text += " " + left(number.unit, places[c].unit);
      line += spaces(layout.gap_before(c)) + right(text, places[c].width);
    }
    put_line(out, line);
  }
}

}  // namespace gilscope
