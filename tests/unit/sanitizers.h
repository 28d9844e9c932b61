// Whether a sanitizer watches this code: they make each memory access dearer, ThreadSanitizer the
// most, and the tests then do less of the same.
#pragma once

// g++ defines macros for it, clang answers questions.
#ifndef __has_feature
#define __has_feature(feature) 0
#endif
#if defined(__SANITIZE_THREAD__) || __has_feature(thread_sanitizer)
#define GILSCOPE_UNDER_TSAN 1
#else
#define GILSCOPE_UNDER_TSAN 0
#endif
#if defined(__SANITIZE_ADDRESS__) || __has_feature(address_sanitizer)
#define GILSCOPE_UNDER_ASAN 1
#else
#define GILSCOPE_UNDER_ASAN 0
#endif
