#pragma once

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <functional>
#include <memory>
#include <string>
#include <tuple>
#include <vector>

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "polyhead/data/dataset.hpp"
#include "polyhead/data/reader.hpp"
#include "polyhead/image/normalize.hpp"

namespace polyhead::data::testing {

/// Makes the folders that are missing, too.
inline void write(const std::filesystem::path& path, const std::string& bytes = "") {
  std::filesystem::create_directories(path.parent_path());
  std::ofstream(path, std::ios::binary) << bytes;
}

inline std::string read_file(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

inline std::vector<std::string> lines_of(const std::filesystem::path& path) {
  std::ifstream in(path);
  std::vector<std::string> lines;
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  return lines;
}

/// A data set whose images are all 8x8.
inline config::Data images_at(const std::filesystem::path& path) {
  config::Data config;
  config.path = path;
  config.preprocess.crop = 8;
  return config;
}

inline std::vector<std::string> ids_of(const Dataset& dataset) {
  std::vector<std::string> ids;
  for (std::int64_t i = 0; i < dataset.size(); ++i) ids.push_back(dataset.sample_id(i));
  return ids;
}

inline std::vector<std::int32_t> labels_of(Dataset& dataset) {
  std::vector<std::int32_t> labels(static_cast<std::size_t>(dataset.size()), 99);
  dataset.read_labels(0, labels);
  return labels;
}

/// A reader's bytes, uint8 [N, H, W, 3], normalised to fp32 [N, 3, H, W] as a device does it.
inline std::vector<float> normalised_bytes(SampleReader& reader, const config::Preprocess& preprocess,
                                           std::int64_t first, std::int64_t count, ImageShape image) {
  EXPECT_TRUE(reader.gives_bytes());
  const auto values = static_cast<std::size_t>(image.values());
  std::vector<std::uint8_t> bytes(static_cast<std::size_t>(count) * values);
  std::vector<Reason> reasons(static_cast<std::size_t>(count), Reason::corrupt);
  reader.read_bytes(first, {}, bytes, reasons);
  for (const Reason reason : reasons) EXPECT_EQ(reason, Reason::none);
  const image::Normalization normalization(preprocess);
  std::vector<float> pixels(bytes.size());
  const std::size_t plane = values / 3;
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    const std::size_t channel = i % 3;
    pixels[i / values * values + channel * plane + i % values / 3] =
        normalization.of(static_cast<float>(bytes[i]) / 255.0F, channel);
  }
  return pixels;
}

/// Sets the time of the last change, of all in a folder, so that it is long ago.
inline void make_old(const std::filesystem::path& path, std::int64_t seconds = 1'000'000'000) {
  const timespec times[2] = {{seconds, 0}, {seconds, 0}};
  ASSERT_EQ(::utimensat(AT_FDCWD, path.c_str(), times, AT_SYMLINK_NOFOLLOW), 0);
  if (!std::filesystem::is_directory(path) || std::filesystem::is_symlink(path)) return;
  for (const auto& item : std::filesystem::directory_iterator(path)) make_old(item.path(), seconds);
}

/// Runs `check` in a process without root's rights; the parent passes its verdict on.
inline void without_privileges(const std::function<void()>& check) {
  const pid_t child = ::fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    if (::getuid() == 0 && (::setgid(65534) != 0 || ::setuid(65534) != 0)) ::_exit(2);
    check();
    ::_exit(::testing::Test::HasFailure() ? 1 : 0);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

}  // namespace polyhead::data::testing
