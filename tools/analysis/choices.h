// Sums over chosen rows of a table, for many choices at once: permutation tests spend most of their
// time on these. Eight rows are looked up together.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace gilscope {

// Several choices of rows, a bit for each row of each.
class Choices {
 public:
  Choices(size_t rows, size_t count) : rows_(rows), bytes_((rows + 7) / 8), count_(count) {
    bits_.resize(bytes_ * count_);
  }

  size_t rows() const { return rows_; }
  size_t count() const { return count_; }
  void take(size_t choice, size_t row) {
    bits_[choice * bytes_ + row / 8] |= uint8_t(1 << row % 8);
  }
  bool taken(size_t choice, size_t row) const {
    return bits_[choice * bytes_ + row / 8] >> row % 8 & 1;
  }
  // Eight rows at once, from row 8 * group on. Bits beyond the last row are dropped.
  uint8_t group(size_t choice, size_t group) const { return bits_[choice * bytes_ + group]; }
  void set_group(size_t choice, size_t group, uint64_t bits) {
    const size_t behind = 8 * (group + 1) > rows_ ? 8 * (group + 1) - rows_ : 0;
    bits_[choice * bytes_ + group] = uint8_t((bits & 0xff) & 0xffU >> behind);
  }

 private:
  size_t rows_, bytes_, count_;
  std::vector<uint8_t> bits_;
};

// `table` is stored row by row, `columns` numbers each, because going through it by columns would
// be slow. The result has a row of sums for each choice.
std::vector<double> chosen_sums(const std::vector<double>& table, size_t columns,
                                const Choices& choices);

// n choose k, or SIZE_MAX where that is more than `most`.
uint64_t combinations(size_t n, size_t k, uint64_t most);

// The next larger number with the same number of bits set.
uint64_t next_combination(uint64_t bits);

}  // namespace gilscope
