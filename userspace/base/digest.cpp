#include "userspace/base/digest.h"

#include <sys/types.h>

// libmd's header uses types from <sys/types.h> without including it.
#include <sha256.h>

namespace gilscope {

std::string sha256(std::string_view text) {
  char hexadecimal[SHA256_DIGEST_STRING_LENGTH];
  SHA256Data(reinterpret_cast<const uint8_t*>(text.data()), text.size(), hexadecimal);
  return hexadecimal;
}

}  // namespace gilscope
