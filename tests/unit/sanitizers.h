// Whether a sanitizer instruments this code. Sanitizers, ThreadSanitizer most of all, make each
// memory access slower, so tests do less of the same under them.
#pragma once

// g++ defines macros for sanitizers; clang has __has_feature.
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
