#pragma once

#include <filesystem>
#include <string>

#include "polyhead/store/reader.hpp"

namespace polyhead::run {

/// Agreement of the certificate with the file.
struct CertificateCheck {
  std::string digest;  ///< digest in the certificate; empty when there is none
  std::string breach;  ///< disagreement, as a sentence; empty when all agrees
};
CertificateCheck check_certificate(const store::Reader& reader);

/// Throws Error(bad_data) that names what differs between the file's shape and names and those of the inputs.
void check_layout(const store::Layout& held, const store::Layout& now, const std::filesystem::path& result);

}  // namespace polyhead::run
