#include "userspace/experiment/run_sheet.h"

namespace gilscope {

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
