#include "userspace/eval/object.h"

#include <cstdlib>
#include <new>

namespace gilscope {
namespace {

struct Integer : Object {
  int64_t value;
};

Object* subtract(Object* left, Object* right) {
  return new_integer(integer_value(left) - integer_value(right));
}

bool compare(Object* left, Object* right, Comparison comparison) {
  switch (comparison) {
    case Comparison::greater:
      return integer_value(left) > integer_value(right);
  }
  return false;
}

bool truth(Object* object) {
  return integer_value(object) != 0;
}

void deallocate(Object* object) {
  std::free(object);
}

constexpr Type kInteger = {"int", subtract, compare, truth, deallocate};
constexpr Type kBoolean = {"bool", subtract, compare, truth, deallocate};

Object* allocate(const Type& type, int64_t value) {
  auto* object = static_cast<Integer*>(std::malloc(sizeof(Integer)));
  if (!object) throw std::bad_alloc();
  object->references = 1;
  object->type = &type;
  object->value = value;
  return object;
}

}  // namespace

Object* new_integer(int64_t value) {
  return allocate(kInteger, value);
}
Object* new_boolean(bool value) {
  return allocate(kBoolean, value);
}
int64_t integer_value(const Object* object) {
  return static_cast<const Integer*>(object)->value;
}

}  // namespace gilscope
