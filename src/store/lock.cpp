#include <algorithm>
#include <array>
#include <cerrno>
#include <string_view>
#include <system_error>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "polyhead/base/error.hpp"
#include "polyhead/base/log.hpp"
#include "polyhead/store/existing.hpp"
#include "polyhead/store/writer.hpp"
#include "publish.hpp"

namespace polyhead::store {
namespace {

constexpr int kAttempts = 100;  // each is lost only to a job that ends at that moment
constexpr std::string_view kNote = "process ";
/// Byte that no result has: locks on it hinder nobody, and h5py's own lock is of another kind.
constexpr off_t kLockedByte = off_t{1} << 62;

FileDescriptor open_lock(const std::filesystem::path& path) {
  FileDescriptor file(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0666));
  if (file) return file;
  throw Error(ExitCode::cant_create, fmt::format("{}: the output's lock file cannot be created: {}",
                                                 path.string(), std::generic_category().message(errno)));
}

/// Note of the holder, fit for a message: the file may hold anything.
std::string note_in(const FileDescriptor& file) {
  std::array<char, 200> text{};
  const ssize_t length = ::pread(file.get(), text.data(), text.size(), 0);
  std::string line(text.data(), static_cast<std::size_t>(std::max<ssize_t>(0, length)));
  line.resize(std::min(line.size(), line.find('\n')));
  std::replace_if(
      line.begin(), line.end(), [](char c) { return c < ' ' || c > '~'; }, '?');
  return line;
}

std::string holder(const FileDescriptor& file) {
  const std::string note = note_in(file);
  return note.empty() ? "another process" : note;
}

/// Refuses a lock file of another program (Cargo.lock, where the output is Cargo): ours is emptied and
/// removed.
void check_ours(const std::filesystem::path& path, const FileDescriptor& file) {
  const std::string note = note_in(file);
  if (note.starts_with(kNote) || kNote.starts_with(note)) return;  // a crash may have cut it
  throw Error(ExitCode::cant_create,
              fmt::format("{}: would be the output's lock file, but is a file of another program. Choose "
                          "another output.path, or remove that file if nobody needs it",
                          path.string()));
}

[[noreturn]] void fail_taken(const std::filesystem::path& path, const FileDescriptor& file) {
  throw Error(
      ExitCode::cant_create,
      fmt::format("{}: is being written by {}. Wait until it has ended, stop it, or choose another "
                  "output.path. (Its lock is {}.)",
                  std::filesystem::path(path).replace_extension().string(), holder(file), path.string()));
}

void lock(const std::filesystem::path& path, const FileDescriptor& file) {
  if (::flock(file.get(), LOCK_EX | LOCK_NB) == 0) return;
  if (errno == EWOULDBLOCK || errno == EACCES) fail_taken(path, file);  // EACCES: from SMB
  const std::string reason = std::generic_category().message(errno);
  const std::string note = note_in(file);
  log::warning(fmt::format(
      "{}: this file system has no locks ({}), so the output cannot be locked: two runs must not write to "
      "it{}",
      path.string(), reason,
      note.empty() ? "" : fmt::format(". The file names {}: see that it has ended", note)));
}

[[noreturn]] void fail_other_name(const std::filesystem::path& output) {
  throw Error(ExitCode::cant_create,
              fmt::format("{}: is being written under another name of the same file (a hard link). Wait "
                          "until that run has ended, stop it, or choose another output.path",
                          output.string()));
}

struct flock byte_lock(short kind) {
  struct flock lock {};
  lock.l_type = kind;
  lock.l_whence = SEEK_SET;
  lock.l_start = kLockedByte;
  lock.l_len = 1;
  return lock;
}

/// Whether another run has locked the byte. All runs lock it for reading, which is compatible with h5py's
/// flock: NFS turns that into a lock on the file. Then they ask which lock would prevent writing it.
bool taken_by_another(const FileDescriptor& file) {
  struct flock lock = byte_lock(F_RDLCK);
  if (::fcntl(file.get(), F_OFD_SETLK, &lock) != 0) return false;  // no locks: the lock file's warning tells
  lock = byte_lock(F_WRLCK);
  return ::fcntl(file.get(), F_OFD_GETLK, &lock) == 0 && lock.l_type != F_UNLCK &&
         lock.l_start == kLockedByte && lock.l_len == 1;
}

/// Whether `path` still names the open file: its last holder may have removed it.
bool is_named(const std::filesystem::path& path, const FileDescriptor& file) {
  struct stat named {};
  struct stat opened {};
  return ::lstat(path.c_str(), &named) == 0 && ::fstat(file.get(), &opened) == 0 &&
         named.st_ino == opened.st_ino && named.st_dev == opened.st_dev;
}

void write_holder(const std::filesystem::path& path, const FileDescriptor& file) {
  std::array<char, 256> host{};
  if (::gethostname(host.data(), host.size() - 1) != 0) host = {"unknown"};
  const std::string text = fmt::format("{}{} on {}\n", kNote, ::getpid(), host.data());
  // A part of the note is enough.
  if (::ftruncate(file.get(), 0) != 0 || ::pwrite(file.get(), text.data(), text.size(), 0) < 0) {
    throw Error(ExitCode::cant_create, fmt::format("{}: the output's lock file cannot be written: {}",
                                                   path.string(), std::generic_category().message(errno)));
  }
}

}  // namespace

OutputLock::OutputLock(const std::filesystem::path& output)
    : output_(target_of(output)), path_(output_.string() + ".lock") {
  make_folders(output_.parent_path());
  for (int attempt = 0; attempt < kAttempts; ++attempt) {
    FileDescriptor file = open_lock(path_);
    lock(path_, file);
    if (!is_named(path_, file)) continue;
    check_ours(path_, file);
    write_holder(path_, file);
    file_ = std::move(file);
    hold_file_or_leave();
    return;
  }
  throw Error(ExitCode::cant_create,
              fmt::format("{}: is created and removed all the time by other processes; the "
                          "output cannot be locked",
                          path_.string()));
}

void OutputLock::hold_file() {
  output_file_ = FileDescriptor(::open(output_.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
  if (output_file_ && taken_by_another(output_file_)) fail_other_name(output_);
}

/// An object whose constructor throws has no destructor call.
void OutputLock::hold_file_or_leave() {
  try {
    hold_file();
  } catch (const Error&) {
    remove();
    throw;
  }
}

void OutputLock::remove() const {
  if (is_named(path_, file_)) ::unlink(path_.c_str());  // still locked: no other process can hold it now
}

OutputLock::~OutputLock() {
  remove();
}

}  // namespace polyhead::store
