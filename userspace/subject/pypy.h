// PyPy: a word that holds the holder's pthread_self(), and a condition on which the first of those
// who wait looks at it every 0.1 ms. Neither has a symbol, so they are found while threads contend.
#pragma once

#include "userspace/base/result.h"
#include "userspace/subject/look.h"

namespace gilscope {

Status find_pypy(Look& look, Subject& subject);

}  // namespace gilscope
