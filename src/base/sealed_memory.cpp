#include "polyhead/base/sealed_memory.hpp"

#include <cerrno>
#include <system_error>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "polyhead/base/error.hpp"

namespace polyhead {
namespace {

/// Result of a system call that is negative where it fails.
int check(int result, const char* call) {
  if (result >= 0) return result;
  throw Error(ExitCode::unavailable,
              fmt::format("shared memory: {}: {}", call, std::generic_category().message(errno)));
}

}  // namespace

SealedMemory::SealedMemory(std::size_t bytes, const std::function<void(std::span<std::byte>)>& fill)
    : file_(check(memfd_create("polyhead", MFD_CLOEXEC | MFD_ALLOW_SEALING), "memfd_create")) {
  check(ftruncate(file_.get(), static_cast<off_t>(bytes)), "ftruncate");
  // Takes the memory now, with an error where a write would get a signal. No check for free memory comes
  // first: where it is short, the copies that each process would make instead take more.
  check(fallocate(file_.get(), 0, 0, static_cast<off_t>(bytes)), "fallocate");
  map(bytes, PROT_READ | PROT_WRITE);
  fill(map_.bytes());
  map_.reset();  // F_SEAL_WRITE refuses while a writable map exists
  check(fcntl(file_.get(), F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL),
        "F_ADD_SEALS");
  map(bytes, PROT_READ);
}

SealedMemory::SealedMemory(const Ticket& ticket) {
  const std::string path = fmt::format("/proc/{}/fd/{}", ticket.process, ticket.descriptor);
  struct stat found {};
  check(stat(path.c_str(), &found), path.c_str());
  // Checked before opening: another container's process may have a pipe there, which waits for a writer.
  if (found.st_dev != ticket.device || found.st_ino != ticket.inode ||
      static_cast<std::uint64_t>(found.st_size) != ticket.bytes) {
    throw Error(ExitCode::unavailable, fmt::format("shared memory: {} is another file here", path));
  }
  file_.reset(check(open(path.c_str(), O_RDONLY | O_CLOEXEC), path.c_str()));
  map(ticket.bytes, PROT_READ);
  close();
}

SealedMemory::Ticket SealedMemory::ticket() const {
  struct stat status {};
  check(fstat(file_.get(), &status), "fstat");
  return {getpid(), file_.get(), status.st_dev, status.st_ino, static_cast<std::uint64_t>(status.st_size)};
}

void SealedMemory::map(std::size_t bytes, int protection) {
  void* memory = mmap(nullptr, bytes, protection, MAP_SHARED, file_.get(), 0);
  if (memory == MAP_FAILED) check(-1, "mmap");
  map_.reset({static_cast<std::byte*>(memory), bytes});
}

}  // namespace polyhead
