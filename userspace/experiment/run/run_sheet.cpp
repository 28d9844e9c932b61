#include "userspace/experiment/run/run_sheet.h"

#include <cstring>

namespace gilscope {

void RunSheet::fail_with(const char* why) {
  if (failed.exchange(1)) return;
  std::strncpy(failure, why, sizeof(failure) - 1);
}

Result<SharedSheet> SharedSheet::make(size_t rows) {
  auto sheet = Mapping<RunSheet>::shared_anonymous(1);
  if (!sheet) return fail(sheet.error());
  auto mapped_rows = Mapping<ThreadRow>::shared_anonymous(rows);
  if (!mapped_rows) return fail(mapped_rows.error());
  SharedSheet shared;
  shared.sheet_ = std::move(*sheet);
  shared.rows_ = std::move(*mapped_rows);
  return shared;
}

}  // namespace gilscope
