#include "userspace/workload/samples.h"

#include <algorithm>
#include <utility>

namespace gilscope {

Result<SampleBook> SampleBook::make(size_t writers, size_t samples_each) {
  auto fills = Mapping<SampleWriter::Fill>::shared_anonymous(writers);
  if (!fills) return fail(fills.error());
  auto room = Mapping<Sample>::shared_reserve(writers * samples_each);
  if (!room) return fail(room.error());
  SampleBook book;
  book.fills_ = std::move(*fills);
  book.room_ = std::move(*room);
  book.each_ = samples_each;
  return book;
}

SampleWriter SampleBook::writer(size_t index) const {
  if (writers() == 0) return {};
  return {fills_[index], room_.span().subspan(index * each_, each_)};
}

std::span<const Sample> SampleBook::samples(size_t writer) const {
  return room_.span().subspan(writer * each_, std::min<uint64_t>(fills_[writer].count, each_));
}

uint64_t SampleBook::lost() const {
  uint64_t lost = 0;
  for (const SampleWriter::Fill& fill : fills_.span()) lost += fill.lost;
  return lost;
}

}  // namespace gilscope
