#include "shim.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <cstdarg>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string_view>
#include <utility>

#include <dlfcn.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace polyhead::faults {
namespace {

constexpr std::size_t kMaxFiles = 1 << 16;  // descriptors; those above never count

/// What the program and its libraries call before main, too: nothing here may need a constructor.
struct State {
  Plan* plan;  // never deleted
  std::atomic<std::int64_t> calls;
  std::atomic<std::int64_t> faults;
  std::array<std::atomic<bool>, kMaxFiles> watched;
  int log;
};
constinit State state{};

template <class Function>
void for_each_part(std::string_view list, char between, Function function) {
  while (!list.empty()) {
    const std::size_t end = std::min(list.find(between), list.size());
    if (end > 0) function(list.substr(0, end));
    list.remove_prefix(std::min(end + 1, list.size()));
  }
}

bool counts(const char* path) {
  if (state.plan == nullptr || path == nullptr) return false;
  bool found = false;
  for_each_part(state.plan->files, ':', [&](std::string_view part) {
    found = found || std::string_view(path).find(part) != std::string_view::npos;
  });
  return found;
}

bool counts(int file) {
  return file >= 0 && static_cast<std::size_t>(file) < kMaxFiles &&
         state.watched[static_cast<std::size_t>(file)];
}

void watch(int file, bool on) {
  if (file >= 0 && static_cast<std::size_t>(file) < kMaxFiles)
    state.watched[static_cast<std::size_t>(file)] = on;
}

/// Locks only count where they are named: that they fail is no fault of a disk.
bool of_wanted_kind(std::string_view kind) {
  if (state.plan->calls.empty()) return kind != "lock";
  bool found = false;
  for_each_part(state.plan->calls, ',', [&](std::string_view part) { found = found || part == kind; });
  return found;
}

void note(std::int64_t number, const char* kind, const std::string& name, bool fails) {
  if (state.log <= 0) return;
  std::array<char, 4200> line{};
  const int length = std::snprintf(line.data(), line.size(), "%lld %s %s%s\n", static_cast<long long>(number),
                                   kind, name.c_str(), fails ? " FAILED" : "");
  syscall(SYS_write, state.log, line.data(), std::min(static_cast<std::size_t>(length), line.size() - 1));
}

std::string path_of(int file) {
  std::array<char, 4096> path{};
  const std::string link = "/proc/self/fd/" + std::to_string(file);
  const ssize_t length = ::readlink(link.c_str(), path.data(), path.size() - 1);
  return length > 0 ? std::string(path.data(), static_cast<std::size_t>(length)) : "?";
}

/// Counts a call and says whether it is to fail. errno is kept unless it does.
bool strikes(const char* kind, const std::string& name) {
  if (!of_wanted_kind(kind)) return false;
  const int before = errno;
  const std::int64_t number = ++state.calls;
  const std::int64_t at = state.plan->at;
  const bool fails = at > 0 && number >= at && number - at < state.plan->count;
  if (fails) ++state.faults;
  note(number, kind, name, fails);
  errno = before;
  return fails;
}

/// The same for calls that cannot be short.
bool fails(const char* kind, const std::string& name) {
  if (!strikes(kind, name) || state.plan->error == 0) return false;
  errno = state.plan->error;
  return true;
}

template <class Function>
Function* next(const char* name) {
  return reinterpret_cast<Function*>(dlsym(RTLD_NEXT, name));
}

std::string text_of(const char* variable) {
  const char* text = std::getenv(variable);
  return text == nullptr ? "" : text;
}

int error_of(std::string_view name) {
  using Pair = std::pair<std::string_view, int>;
  constexpr std::array kErrors{Pair{"short", 0},
                               Pair{"ENOSPC", ENOSPC},
                               Pair{"EIO", EIO},
                               Pair{"EDQUOT", EDQUOT},
                               Pair{"EROFS", EROFS},
                               Pair{"ENODEV", ENODEV},
                               Pair{"EOPNOTSUPP", EOPNOTSUPP},
                               Pair{"EINTR", EINTR},
                               Pair{"ENOLCK", ENOLCK},
                               Pair{"ENOSYS", ENOSYS}};
  for (const auto& [known, value] : kErrors) {
    if (known == name) return value;
  }
  std::fprintf(stderr, "fault shim: POLYHEAD_FAULT_ERROR is '%.*s'\n", static_cast<int>(name.size()),
               name.data());
  std::abort();
}

std::int64_t number_of(const char* variable, std::int64_t otherwise) {
  const std::string text = text_of(variable);
  if (text == "all") return INT64_MAX;
  return text.empty() ? otherwise : std::atoll(text.c_str());
}

__attribute__((constructor)) void read_environment() {
  const std::string files = text_of("POLYHEAD_FAULT_FILES");
  if (files.empty()) return;
  const std::string rank = text_of("POLYHEAD_FAULT_RANK");
  if (!rank.empty() && rank != text_of("OMPI_COMM_WORLD_RANK")) return;
  const std::string error = text_of("POLYHEAD_FAULT_ERROR");
  set_plan({files, text_of("POLYHEAD_FAULT_CALLS"), number_of("POLYHEAD_FAULT_AT", 0),
            number_of("POLYHEAD_FAULT_COUNT", 1), error.empty() ? EIO : error_of(error),
            text_of("POLYHEAD_FAULT_LOG")});
}

int watched(int file, bool counting) {
  if (counting) watch(file, file >= 0);
  return file;
}

/// How much of a write is done: all, or half of it, or -1.
ssize_t allowed(int file, std::size_t bytes) {
  if (!counts(file) || !strikes("write", path_of(file))) return static_cast<ssize_t>(bytes);
  if (state.plan->error == 0) return static_cast<ssize_t>(bytes > 1 ? bytes / 2 : bytes);
  errno = state.plan->error;
  return -1;
}

bool path_fails(const char* kind, const char* path) {
  return counts(path) && fails(kind, path);
}

bool file_fails(const char* kind, int file) {
  return counts(file) && fails(kind, path_of(file));
}

}  // namespace

void set_plan(const Plan& plan) {
  delete std::exchange(state.plan, new Plan(plan));
  state.calls = 0;
  state.faults = 0;
  if (state.log > 0) syscall(SYS_close, state.log);
  state.log = plan.log.empty() ? 0
                               : static_cast<int>(syscall(SYS_openat, AT_FDCWD, plan.log.c_str(),
                                                          O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666));
}

std::int64_t calls() {
  return state.calls;
}

std::int64_t faults() {
  return state.faults;
}

}  // namespace polyhead::faults

// The system's functions, in front of the real ones. Each has a twin with 64 in its name, for programs with
// large files.
using namespace polyhead::faults;

extern "C" int open(const char* path, int flags, ...) {
  va_list arguments;
  va_start(arguments, flags);
  const mode_t mode = (flags & (O_CREAT | O_TMPFILE)) != 0 ? va_arg(arguments, mode_t) : 0;
  va_end(arguments);
  if (path_fails("open", path)) return -1;
  return watched(next<int(const char*, int, ...)>("open")(path, flags, mode), counts(path));
}

extern "C" int open64(const char* path, int flags, ...) {
  va_list arguments;
  va_start(arguments, flags);
  const mode_t mode = (flags & (O_CREAT | O_TMPFILE)) != 0 ? va_arg(arguments, mode_t) : 0;
  va_end(arguments);
  if (path_fails("open", path)) return -1;
  return watched(next<int(const char*, int, ...)>("open64")(path, flags, mode), counts(path));
}

extern "C" int openat(int folder, const char* path, int flags, ...) {
  va_list arguments;
  va_start(arguments, flags);
  const mode_t mode = (flags & (O_CREAT | O_TMPFILE)) != 0 ? va_arg(arguments, mode_t) : 0;
  va_end(arguments);
  if (path_fails("open", path)) return -1;
  return watched(next<int(int, const char*, int, ...)>("openat")(folder, path, flags, mode), counts(path));
}

extern "C" int openat64(int folder, const char* path, int flags, ...) {
  va_list arguments;
  va_start(arguments, flags);
  const mode_t mode = (flags & (O_CREAT | O_TMPFILE)) != 0 ? va_arg(arguments, mode_t) : 0;
  va_end(arguments);
  if (path_fails("open", path)) return -1;
  return watched(next<int(int, const char*, int, ...)>("openat64")(folder, path, flags, mode), counts(path));
}

extern "C" int creat(const char* path, mode_t mode) {
  if (path_fails("open", path)) return -1;
  return watched(next<int(const char*, mode_t)>("creat")(path, mode), counts(path));
}

extern "C" int creat64(const char* path, mode_t mode) {
  if (path_fails("open", path)) return -1;
  return watched(next<int(const char*, mode_t)>("creat64")(path, mode), counts(path));
}

extern "C" int mkostemp(char* path, int flags) {
  if (path_fails("open", path)) return -1;
  return watched(next<int(char*, int)>("mkostemp")(path, flags), counts(path));
}

extern "C" int mkostemp64(char* path, int flags) {
  if (path_fails("open", path)) return -1;
  return watched(next<int(char*, int)>("mkostemp64")(path, flags), counts(path));
}

extern "C" ssize_t write(int file, const void* from, size_t bytes) {
  const ssize_t most = allowed(file, bytes);
  return most < 0 ? -1
                  : next<ssize_t(int, const void*, size_t)>("write")(file, from, static_cast<size_t>(most));
}

extern "C" ssize_t pwrite(int file, const void* from, size_t bytes, off_t at) {
  const ssize_t most = allowed(file, bytes);
  return most < 0 ? -1
                  : next<ssize_t(int, const void*, size_t, off_t)>("pwrite")(file, from,
                                                                             static_cast<size_t>(most), at);
}

extern "C" ssize_t pwrite64(int file, const void* from, size_t bytes, off_t at) {
  const ssize_t most = allowed(file, bytes);
  return most < 0 ? -1
                  : next<ssize_t(int, const void*, size_t, off_t)>("pwrite64")(file, from,
                                                                               static_cast<size_t>(most), at);
}

extern "C" int fsync(int file) {
  return file_fails("sync", file) ? -1 : next<int(int)>("fsync")(file);
}

extern "C" int fdatasync(int file) {
  return file_fails("sync", file) ? -1 : next<int(int)>("fdatasync")(file);
}

extern "C" int fallocate(int file, int mode, off_t at, off_t bytes) {
  return file_fails("allocate", file) ? -1
                                      : next<int(int, int, off_t, off_t)>("fallocate")(file, mode, at, bytes);
}

extern "C" int fallocate64(int file, int mode, off_t at, off_t bytes) {
  return file_fails("allocate", file)
             ? -1
             : next<int(int, int, off_t, off_t)>("fallocate64")(file, mode, at, bytes);
}

extern "C" int posix_fallocate(int file, off_t at, off_t bytes) {
  return file_fails("allocate", file) ? errno
                                      : next<int(int, off_t, off_t)>("posix_fallocate")(file, at, bytes);
}

extern "C" int posix_fallocate64(int file, off_t at, off_t bytes) {
  return file_fails("allocate", file) ? errno
                                      : next<int(int, off_t, off_t)>("posix_fallocate64")(file, at, bytes);
}

extern "C" int flock(int file, int operation) {
  const bool takes = (operation & LOCK_UN) == 0;
  return takes && file_fails("lock", file) ? -1 : next<int(int, int)>("flock")(file, operation);
}

/// Of its many commands those for locks; all take one word more, if any.
int lock_or_pass(const char* name, int file, int command, void* argument) {
  const bool locks = command == F_SETLK || command == F_SETLKW || command == F_GETLK ||
                     command == F_OFD_SETLK || command == F_OFD_SETLKW || command == F_OFD_GETLK;
  return locks && file_fails("lock", file) ? -1 : next<int(int, int, ...)>(name)(file, command, argument);
}

extern "C" int fcntl(int file, int command, ...) {
  va_list arguments;
  va_start(arguments, command);
  void* const argument = va_arg(arguments, void*);
  va_end(arguments);
  return lock_or_pass("fcntl", file, command, argument);
}

extern "C" int fcntl64(int file, int command, ...) {
  va_list arguments;
  va_start(arguments, command);
  void* const argument = va_arg(arguments, void*);
  va_end(arguments);
  return lock_or_pass("fcntl64", file, command, argument);
}

extern "C" int ftruncate(int file, off_t size) {
  return file_fails("truncate", file) ? -1 : next<int(int, off_t)>("ftruncate")(file, size);
}

extern "C" int ftruncate64(int file, off_t size) {
  return file_fails("truncate", file) ? -1 : next<int(int, off_t)>("ftruncate64")(file, size);
}

extern "C" void* mmap(void* at, size_t bytes, int protection, int flags, int file, off_t offset) {
  const bool writes = (protection & PROT_WRITE) != 0 && (flags & MAP_SHARED) != 0;
  if (writes && file_fails("map", file)) return MAP_FAILED;
  return next<void*(void*, size_t, int, int, int, off_t)>("mmap")(at, bytes, protection, flags, file, offset);
}

extern "C" void* mmap64(void* at, size_t bytes, int protection, int flags, int file, off_t offset) {
  const bool writes = (protection & PROT_WRITE) != 0 && (flags & MAP_SHARED) != 0;
  if (writes && file_fails("map", file)) return MAP_FAILED;
  return next<void*(void*, size_t, int, int, int, off_t)>("mmap64")(at, bytes, protection, flags, file,
                                                                    offset);
}

extern "C" int rename(const char* from, const char* to) {
  return (counts(from) || counts(to)) && fails("rename", to)
             ? -1
             : next<int(const char*, const char*)>("rename")(from, to);
}

extern "C" int renameat2(int a, const char* from, int b, const char* to, unsigned int flags) {
  return (counts(from) || counts(to)) && fails("rename", to)
             ? -1
             : next<int(int, const char*, int, const char*, unsigned int)>("renameat2")(a, from, b, to,
                                                                                        flags);
}

extern "C" int link(const char* from, const char* to) {
  return (counts(from) || counts(to)) && fails("rename", to)
             ? -1
             : next<int(const char*, const char*)>("link")(from, to);
}

extern "C" int unlink(const char* path) {
  return path_fails("unlink", path) ? -1 : next<int(const char*)>("unlink")(path);
}

extern "C" int close(int file) {
  const bool failed = file_fails("close", file);
  watch(file, false);
  const int closed = next<int(int)>("close")(file);
  if (failed) errno = state.plan->error;
  return failed ? -1 : closed;
}
