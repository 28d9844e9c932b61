// A second lock with a name that contend.cpp has, too.
#include <pthread.h>

[[gnu::used]] static pthread_mutex_t in_two_files asm("in_two_files");
