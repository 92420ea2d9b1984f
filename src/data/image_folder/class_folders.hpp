#pragma once

#include <string>
#include <vector>

namespace polyhead::data {

/// What may be wrong with the names of class folders, which are sorted as text: numbers whose order that is
/// not, or parts of a data set (train, val) in place of classes. Empty when nothing is.
std::string doubt_about_classes(const std::vector<std::string>& names);

/// "; a/w.webp is a WebP image, ...: convert ...": what lies in a folder in which no images were found, by
/// the files' first bytes, and how it comes to be read. Empty when nothing is known there.
std::string what_lies_in(const std::string& folder);

}  // namespace polyhead::data
