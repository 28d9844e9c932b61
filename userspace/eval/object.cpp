#include "userspace/eval/object.h"

#include <new>
#include <vector>

#include "userspace/eval/object_memory.h"

namespace gilscope {
namespace {

struct Integer : Object {
  int64_t value;
};

Object* subtract(Object* left, Object* right) {
  return new_integer(integer_value(left) - integer_value(right));
}

// Overflow wraps, unlike in any Python: the programs stay far below it.
Object* add(Object* left, Object* right) {
  return new_integer(static_cast<int64_t>(static_cast<uint64_t>(integer_value(left)) +
                                          static_cast<uint64_t>(integer_value(right))));
}

Object* multiply(Object* left, Object* right) {
  return new_integer(static_cast<int64_t>(static_cast<uint64_t>(integer_value(left)) *
                                          static_cast<uint64_t>(integer_value(right))));
}

int64_t floored_quotient(int64_t a, int64_t b) {
  return a / b - (a % b != 0 && (a < 0) != (b < 0) ? 1 : 0);
}

Object* floor_divide(Object* left, Object* right) {
  return new_integer(floored_quotient(integer_value(left), integer_value(right)));
}

Object* modulo(Object* left, Object* right) {
  const int64_t a = integer_value(left), b = integer_value(right);
  return new_integer(a - floored_quotient(a, b) * b);
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
  give_block(object, sizeof(Integer));
}

struct List : Object {
  std::vector<Object*, ObjectAllocator<Object*>> elements;
};

Object* item(Object* list, int64_t index) {
  return retain(static_cast<List*>(list)->elements[static_cast<size_t>(index)]);
}

void set_item(Object* list, int64_t index, Object* value) {
  Object*& element = static_cast<List*>(list)->elements[static_cast<size_t>(index)];
  Object* old = element;
  element = retain(value);
  drop(old);
}

bool list_truth(Object* list) {
  return !static_cast<List*>(list)->elements.empty();
}

void deallocate_list(Object* object) {
  auto* list = static_cast<List*>(object);
  for (Object* element : list->elements) drop(element);
  list->~List();
  give_block(list, sizeof(List));
}

constexpr Type integer_type(const char* name) {
  return {.name = name,
          .subtract = subtract,
          .add = add,
          .multiply = multiply,
          .floor_divide = floor_divide,
          .modulo = modulo,
          .item = nullptr,
          .set_item = nullptr,
          .compare = compare,
          .truth = truth,
          .deallocate = deallocate};
}
constexpr Type kInteger = integer_type("int"), kBoolean = integer_type("bool");
constexpr Type kList = {.name = "list",
                        .subtract = nullptr,
                        .add = nullptr,
                        .multiply = nullptr,
                        .floor_divide = nullptr,
                        .modulo = nullptr,
                        .item = item,
                        .set_item = set_item,
                        .compare = nullptr,
                        .truth = list_truth,
                        .deallocate = deallocate_list};

Object* allocate(const Type& type, int64_t value) {
  auto* object = static_cast<Integer*>(take_block(sizeof(Integer)));
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
Object* new_list(int64_t length, Object* element) {
  auto* list = new (take_block(sizeof(List))) List;
  list->references = 1;
  list->type = &kList;
  list->elements.assign(static_cast<size_t>(length), element);
  element->references += length;
  return list;
}
int64_t integer_value(const Object* object) {
  return static_cast<const Integer*>(object)->value;
}

}  // namespace gilscope
