#pragma once

#include <filesystem>

namespace polyhead::run {

/// A place for the list of samples that lives as long as the object: a temporary folder, in TMPDIR. An
/// existing list is linked there. It is read if it is still right; a new list replaces the link. An open list
/// stays mapped when the folder is gone. Throws Error when the folder cannot be made.
class ScratchIndex {
 public:
  explicit ScratchIndex(const std::filesystem::path& existing);
  ~ScratchIndex();
  ScratchIndex(const ScratchIndex&) = delete;
  ScratchIndex& operator=(const ScratchIndex&) = delete;
  [[nodiscard]] std::filesystem::path path() const { return folder_ / "samples.index"; }

 private:
  std::filesystem::path folder_;
};

}  // namespace polyhead::run
