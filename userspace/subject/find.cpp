#include <algorithm>
#include <span>

#include "userspace/base/quote.h"
#include "userspace/subject/banner.h"
#include "userspace/subject/look.h"
#include "userspace/subject/names.h"
#include "userspace/subject/pypy.h"
#include "userspace/subject/python2.h"
#include "userspace/subject/python3.h"
#include "userspace/subject/ruby.h"
#include "userspace/subject/subject.h"

namespace gilscope {
namespace {

// By names alone.
std::string_view kind_of(const ProcessMemory& process) {
  if (const auto kind = kind_of_name(process.executable()); !kind.empty()) return kind;
  if (runs_jython(process.executable(), process.file("cmdline"))) return "jython";
  for (const MappedRange& range : process.maps()) {
    if (!range.of_file()) continue;
    if (const auto kind = kind_of_name(range.path); !kind.empty()) return kind;
  }
  return "";
}

// The files that may have an interpreter in them: the program, which may have it built in, and
// libraries that are named like one.
std::vector<MappedObject> candidates(const ProcessMemory& process,
                                     std::span<const MappedObject> objects) {
  std::vector<MappedObject> found;
  for (const MappedObject& object : objects) {
    if (object.path == process.executable())
      found.insert(found.begin(), object);
    else if (!kind_of_name(object.path).empty())
      found.push_back(object);
  }
  return found;
}

std::vector<std::string_view> wanted_symbols(const FindOptions& options) {
  std::vector<std::string_view> wanted;
  if (!options.symbols) return wanted;
  for (const auto symbols : {python2_symbols(), python3_symbols(), ruby_symbols()}) {
    wanted.insert(wanted.end(), symbols.begin(), symbols.end());
  }
  return wanted;
}

Error gone(const ProcessMemory& process, Error otherwise) {
  if (process.alive()) return otherwise;
  return {Exit::error, fmt::format("{} ended while it was looked at",
                                   shown_process(process.pid(), process.executable()))};
}

// The interpreter that an object's own text names.
struct Identity {
  std::string kind, interpreter, version;
  LanguageVersion language;
};

std::optional<Identity> identify(const ProcessMemory& process, const MappedObject& object) {
  if (kind_of_name(object.path) == "ruby" || object.elf.symbol(ruby_symbols().front())) {
    const auto ruby = find_ruby_banner(process, object);
    return ruby ? std::optional(Identity{"ruby", "CRuby", ruby->text, *ruby}) : std::nullopt;
  }
  const auto banner = find_python_banner(process, object);
  if (!banner) return std::nullopt;
  const LanguageVersion& language = banner->version;
  if (!banner->pypy.empty()) return Identity{"pypy", "PyPy", banner->pypy, language};
  return Identity{"python", "CPython", language.text, language};
}

Status find_gil(Look& look, const Identity& identity, Subject& subject) {
  const LanguageVersion& version = identity.language;
  if (identity.kind == "pypy") return find_pypy(look, subject);
  if (identity.kind == "ruby") return find_ruby(look, version, subject);
  if (version.major == 2 && version.minor == 7) return find_python2(look, version, subject);
  if (version.major == 3 && version.minor >= 6 && version.minor <= 15) {
    return find_python3(look, version, subject);
  }
  return fail(fmt::format("{} runs CPython {}; 2.7 and 3.6 to 3.15 are known",
                          shown_process(look.process.pid(), look.process.executable()),
                          in_quotes(version.text)));
}

Result<Subject> look_at(const ProcessMemory& process, const FindOptions& options) {
  Subject subject;
  subject.pid = process.pid();
  subject.executable = process.executable();
  const std::string shown = shown_process(process.pid(), process.executable());
  if (runs_jython(process.executable(), process.file("cmdline"))) {
    subject.kind = "jython";
    subject.interpreter = "Jython";
    subject.version = jython_version(process.file("cmdline"));
    subject.has_gil = false;
    return subject;
  }
  const std::vector<MappedObject> objects = mapped_objects(process);
  const std::vector<std::string_view> wanted = wanted_symbols(options);
  for (MappedObject& object : candidates(process, objects)) {
    // Without its file there are no symbols, and the rest may do.
    [[maybe_unused]] const Status read = read_object(process, object, wanted);
    const auto identity = identify(process, object);
    if (!identity) continue;
    const auto glibc = glibc_of(process, objects);
    if (!glibc) return fail(glibc.error());
    subject.kind = identity->kind;
    subject.interpreter = identity->interpreter;
    subject.version = identity->version;
    subject.build_id = object.elf.build_id;
    Look look{process, object, *glibc, options, process.threads()};
    if (Status found = find_gil(look, *identity, subject); !found) return fail(found.error());
    return subject;
  }
  if (!kind_of(process).empty()) {
    return fail(fmt::format("{} has not started its interpreter yet; try again", shown));
  }
  return fail(fmt::format("{} runs no interpreter that gilscope knows: CPython, PyPy, Ruby, Jython",
                          shown));
}

}  // namespace

Result<Subject> find_subject(pid_t pid, const FindOptions& options) {
  const auto process = ProcessMemory::open(pid);
  if (!process) return fail(process.error());
  auto subject = look_at(*process, options);
  if (!subject) return fail(gone(*process, subject.error()));
  return subject;
}

std::string interpreter_kind(pid_t pid) {
  const auto process = ProcessMemory::open(pid);
  return process ? std::string(kind_of(*process)) : "";
}

}  // namespace gilscope
