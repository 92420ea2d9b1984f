#include <cerrno>
#include <map>
#include <system_error>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/statfs.h>
#include <unistd.h>

#include "checks.hpp"
#include "polyhead/base/file_descriptor.hpp"
#include "polyhead/base/text.hpp"

namespace polyhead::doctor {
namespace {

constexpr std::uint64_t kMiB = std::uint64_t{1} << 20U;
constexpr std::uint64_t kMinFree = 16 * kMiB;
constexpr std::uint64_t kLittleFree = 1024 * kMiB;
constexpr double kSlowSync = 1;  // seconds

/// A file whose name exists for a moment only.
FileDescriptor nameless_file(const std::filesystem::path& folder) {
  std::string name = (folder / ".polyhead-doctor-XXXXXX").string();
  FileDescriptor file(::mkostemp(name.data(), O_CLOEXEC));
  if (file) ::unlink(name.c_str());
  return file;
}

int error_of(int result) {
  return result == 0 ? 0 : errno;
}

std::string reason(int error) {
  return std::generic_category().message(error);
}

std::filesystem::path nearest_folder(std::filesystem::path folder) {
  std::error_code error;
  while (!std::filesystem::is_directory(folder, error) && folder.has_relative_path())
    folder = folder.parent_path();
  return folder;
}

bool is_of_network(const std::string& file_system) {
  return file_system == "nfs" || file_system == "smb" || file_system == "cifs" || file_system == "9p";
}

}  // namespace

std::string file_system_name(std::uint64_t type) {
  static const std::map<std::uint64_t, std::string> kNames{
      {0xEF53, "ext4"},        {0x58465342, "xfs"},  {0x9123683E, "btrfs"},  {0x01021994, "tmpfs"},
      {0x794C7630, "overlay"}, {0x6969, "nfs"},      {0x0BD00BD0, "lustre"}, {0x47504653, "gpfs"},
      {0x19830326, "beegfs"},  {0x00C36400, "ceph"}, {0xFF534D42, "cifs"},   {0xFE534D42, "smb"},
      {0x65735546, "fuse"},    {0x2FC12FC1, "zfs"},  {0x01021997, "9p"},     {0x4D44, "vfat"},
      {0x6A656A63, "virtiofs"}};
  const auto found = kNames.find(type);
  return found == kNames.end() ? fmt::format("{:#x}", type) : found->second;
}

OutputFacts output_facts(const std::filesystem::path& output, config::Writers writers) {
  OutputFacts facts;
  facts.folder = nearest_folder(std::filesystem::absolute(output).parent_path());
  facts.all_write = writers == config::Writers::all;
  struct statfs status {};
  if (::statfs(facts.folder.c_str(), &status) == 0) {
    facts.file_system = file_system_name(static_cast<std::uint64_t>(status.f_type) & 0xFFFFFFFFU);
    facts.free = static_cast<std::uint64_t>(status.f_bavail) * static_cast<std::uint64_t>(status.f_bsize);
  }
  const FileDescriptor file = nameless_file(facts.folder);
  if (!file) {
    facts.create = errno;
    return facts;
  }
  facts.reserve = error_of(::fallocate(file.get(), 0, 0, kMiB));
  facts.lock = error_of(::flock(file.get(), LOCK_EX | LOCK_NB));
  const char byte = 1;
  if (::pwrite(file.get(), &byte, 1, 0) != 1) facts.sync = errno;
  const auto begin = std::chrono::steady_clock::now();
  if (facts.sync == 0) facts.sync = error_of(::fdatasync(file.get()));
  facts.sync_time = std::chrono::steady_clock::now() - begin;
  return facts;
}

Finding check_output(const OutputFacts& facts) {
  Finding found{
      "output", Verdict::ok, fmt::format("{} on {}", facts.folder.string(), facts.file_system),
      fmt::format("{} free, {:.0f} ms to sync", human_bytes(facts.free), 1000 * facts.sync_time.count()), ""};
  const auto judge = [&](bool applies, Verdict verdict, const std::string& advice) {
    if (!applies || found.verdict != Verdict::ok) return;
    found.verdict = verdict;
    found.advice = advice;
  };
  judge(facts.create != 0, Verdict::problem,
        fmt::format("no file can be made there ({}): choose another output.path", reason(facts.create)));
  judge(facts.sync != 0, Verdict::problem,
        fmt::format("it cannot be written to ({}): choose another output.path", reason(facts.sync)));
  judge(facts.free < kMinFree, Verdict::problem,
        "the disk is full: free some space, or choose another output.path");
  judge(
      facts.lock != 0, Verdict::note,
      fmt::format("no locks ({}): nothing keeps two jobs from writing the same output", reason(facts.lock)));
  judge(
      facts.all_write && is_of_network(facts.file_system), Verdict::note,
      "several hosts write to it with output.writers: all, which it may be too slow for: prefer coordinator");
  judge(facts.reserve != 0, Verdict::note,
        fmt::format("space cannot be reserved ({}): a disk that fills up is found late",
                    reason(facts.reserve)));
  judge(facts.file_system == "tmpfs", Verdict::note, "it lies in memory, and is gone when the machine is");
  judge(facts.free < kLittleFree, Verdict::note, "little space is free");
  judge(facts.sync_time.count() > kSlowSync, Verdict::note, "syncs are slow: raise output.commit_interval");
  return found;
}

}  // namespace polyhead::doctor
