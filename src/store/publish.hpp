#pragma once

#include <filesystem>

namespace polyhead::store {

/// Makes a folder and its missing parents, durably. Throws Error(cant_create).
void make_folders(const std::filesystem::path& folder);

/// Makes the names in a folder durable. Throws Error(cant_create).
void sync_folder(const std::filesystem::path& folder);

/// Gives `from` the name `to` unless that exists. renameat2 does it in one step, which some file systems
/// (NFS) do not have; there, link and unlink. Both return false when the file system cannot do it, and throw
/// Error(cant_create) for any other failure.
bool rename_without_replacing(const std::filesystem::path& from, const std::filesystem::path& to);
bool link_without_replacing(const std::filesystem::path& from, const std::filesystem::path& to);

/// Unguessable name beside a target. The file under it is removed unless it was published.
class TemporaryFile {
 public:
  explicit TemporaryFile(const std::filesystem::path& target);
  ~TemporaryFile();
  TemporaryFile(const TemporaryFile&) = delete;
  TemporaryFile& operator=(const TemporaryFile&) = delete;

  [[nodiscard]] const std::filesystem::path& path() const { return path_; }
  /// Gives the file its target's name, durably. Throws Error(cant_create).
  void publish(bool replace);

 private:
  std::filesystem::path target_;
  std::filesystem::path path_;
};

}  // namespace polyhead::store
