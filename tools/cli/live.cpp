// The halves of `gilscope top` and of metrics that derive and draw.
#include "tools/cli/tools.h"
#include "tools/live/lock_watch.h"
#include "tools/text/live_picture.h"

namespace gilscope {

LiveViews live_views() {
  return {make_lock_watch, draw_picture};
}

}  // namespace gilscope
