#include "tools/merge/staging.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <filesystem>

#include "userspace/base/below.h"
#include "userspace/base/file_io.h"
#include "userspace/base/quote.h"

namespace gilscope {
namespace {

// Creates the parent directories of `name`; returns those that did not exist.
Result<std::set<std::string>> make_parents(int top, const std::string& name,
                                           const std::string& top_path) {
  std::set<std::string> made;
  for (size_t slash = name.find('/'); slash != name.npos; slash = name.find('/', slash + 1)) {
    const std::string parent = name.substr(0, slash);
    if (::mkdirat(top, parent.c_str(), 0755) == 0) {
      made.insert(parent);
    } else if (errno != EEXIST) {
      return fail_errno("cannot create the directory " + in_quotes(top_path + "/" + parent));
    }
  }
  return made;
}

Status sync(int file, const std::string& path) {
  if (::fsync(file) == 0) return {};
  return fail_errno("cannot sync " + in_quotes(path));
}

// The directory of `name`, and its last component.
struct Place {
  Fd directory;
  std::string step;
};

Result<Place> place_of(int top, const std::string& name, const std::string& top_path) {
  const size_t slash = name.rfind('/');
  if (slash == name.npos) {
    Fd same(::openat(top, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!same) return fail_errno("cannot open " + in_quotes(top_path));
    return Place{std::move(same), name};
  }
  const std::string parent = name.substr(0, slash);
  auto directory = open_directory_below(top, parent, top_path + "/" + parent);
  if (!directory) return fail(directory.error());
  return Place{std::move(*directory), name.substr(slash + 1)};
}

Status remove_leftovers(const std::string& path) {
  std::error_code error;
  std::filesystem::remove_all(path, error);
  if (!error) return {};
  return fail(fmt::format("cannot remove {}, which an earlier merge left: {}", in_quotes(path),
                          error.message()));
}

}  // namespace

Result<Staging> Staging::begin(int parent, const std::string& parent_path) {
  Staging staging;
  staging.parent_path_ = parent_path;
  if (Status s = remove_leftovers(staging.path()); !s) return fail(s.error());
  if (::mkdirat(parent, kName, 0755) != 0) {
    return fail_errno("cannot create the directory " + in_quotes(staging.path()));
  }
  staging.parent_ = parent;
  auto directory = open_directory_below(parent, kName, staging.path());
  if (!directory) return fail(directory.error());
  staging.directory_ = std::move(*directory);
  return staging;
}

Staging::Staging(Staging&& other) noexcept
    : parent_(std::exchange(other.parent_, -1)),
      parent_path_(std::move(other.parent_path_)),
      directory_(std::move(other.directory_)),
      renamed_(other.renamed_),
      directories_(std::move(other.directories_)) {}

Staging::~Staging() {
  if (parent_ < 0 || renamed_) return;
  std::error_code ignored;
  std::filesystem::remove_all(path(), ignored);
}

Result<Fd> Staging::create(const std::string& name) {
  auto made = make_parents(fd(), name, path());
  if (!made) return fail(made.error());
  directories_.merge(*made);
  Fd file(::openat(fd(), name.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644));
  if (!file) return fail_errno("cannot create " + in_quotes(path() + "/" + name));
  return file;
}

Status Staging::put(const std::string& name, std::string_view text) {
  const auto file = create(name);
  if (!file) return fail(file.error());
  const std::string shown = path() + "/" + name;
  if (Status s = write_all(file->get(), text, "cannot write " + in_quotes(shown)); !s) return s;
  return sync(file->get(), shown);
}

Status Staging::copy(const std::string& name, int from, const std::string& origin) {
  struct stat status {};
  if (::fstat(from, &status) != 0) return fail_errno("cannot read " + in_quotes(origin));
  const auto file = create(name);
  if (!file) return fail(file.error());
  const std::string shown = path() + "/" + name;
  const auto bytes = static_cast<uint64_t>(status.st_size);
  const auto copied =
      copy_bytes(from, file->get(), bytes,
                 fmt::format("cannot copy {} to {}", in_quotes(origin), in_quotes(shown)));
  if (!copied) return fail(copied.error());
  if (*copied != bytes) return fail(in_quotes(origin) + " was truncated while it was being copied");
  return sync(file->get(), shown);
}

Status Staging::rename_to(const std::string& name) {
  for (const std::string& made : directories_) {
    const auto directory = open_directory_below(fd(), made, path() + "/" + made);
    if (!directory) return fail(directory.error());
    if (Status s = sync(directory->get(), path() + "/" + made); !s) return s;
  }
  if (Status s = sync(fd(), path()); !s) return s;
  if (::renameat(parent_, kName, parent_, name.c_str()) != 0) {
    return fail_errno("cannot create " + in_quotes(parent_path_ + "/" + name));
  }
  renamed_ = true;
  return sync(parent_, parent_path_);
}

Status Staging::move(const std::string& name, int to, const std::string& to_path) {
  const auto made = make_parents(to, name, to_path);
  if (!made) return fail(made.error());
  const auto from_place = place_of(fd(), name, path());
  if (!from_place) return fail(from_place.error());
  const auto to_place = place_of(to, name, to_path);
  if (!to_place) return fail(to_place.error());
  if (::renameat(from_place->directory.get(), from_place->step.c_str(), to_place->directory.get(),
                 to_place->step.c_str()) != 0) {
    return fail_errno("cannot write " + in_quotes(to_path + "/" + name));
  }
  if (Status s = sync(to_place->directory.get(), to_path); !s) return s;
  // Syncs the parent of each new directory, so that its entry is on disk too.
  for (const std::string& parent : *made) {
    const auto above = place_of(to, parent, to_path);
    if (!above) return fail(above.error());
    if (Status s = sync(above->directory.get(), to_path); !s) return s;
  }
  return {};
}

}  // namespace gilscope
