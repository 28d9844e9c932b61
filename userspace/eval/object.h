// The boxed, reference-counted integers that the eval loop computes with. As in CPython every value
// is an object with a type, the type knows how to compute, and unused objects wait on free lists
// for their next use (object_memory.h).
//
// Reference counts are plain, so an object belongs to one thread. A GIL would not need that; under
// `none` it keeps the threads apart, as ownership does in Jython and free-threaded CPython.
#pragma once

#include <cstdint>

namespace gilscope {

struct Object;

enum class Comparison : uint8_t { greater };

// Null where the type has no such operation; our programs never ask for one.
struct Type {
  const char* name;
  Object* (*subtract)(Object* left, Object* right);  // a new reference, as from the next four
  Object* (*add)(Object* left, Object* right);
  Object* (*multiply)(Object* left, Object* right);
  Object* (*floor_divide)(Object* left, Object* right);
  Object* (*modulo)(Object* left, Object* right);
  Object* (*item)(Object* list, int64_t index);  // a new reference
  void (*set_item)(Object* list, int64_t index, Object* value);
  bool (*compare)(Object* left, Object* right, Comparison comparison);
  bool (*truth)(Object* object);
  void (*deallocate)(Object* object);
};

struct Object {
  int64_t references;
  const Type* type;
};

inline Object* retain(Object* object) {
  ++object->references;
  return object;
}

inline void drop(Object* object) {
  if (--object->references == 0) object->type->deallocate(object);
}

Object* new_integer(int64_t value);
int64_t integer_value(const Object* object);
Object* new_boolean(bool value);
Object* new_list(int64_t length, Object* element);

}  // namespace gilscope
