#pragma once

#include <string>
#include <vector>

namespace polyhead::data {

/// Doubt about the names of class folders, which are sorted as text; empty when there is none. The names may
/// be numbers in another order, or parts of a data set (train, val) instead of classes.
std::string doubt_about_classes(const std::vector<std::string>& names);

/// Text such as "; a/w.webp is a WebP image, ...: convert ...". It describes a folder in which no images were
/// found, by the files' first bytes, and how to make it readable. Empty when nothing is known.
std::string what_lies_in(const std::string& folder);

}  // namespace polyhead::data
