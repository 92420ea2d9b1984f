#pragma once

#include <filesystem>
#include <string>

#include "polyhead/store/reader.hpp"

namespace polyhead::run {

/// How the certificate and the file go together.
struct CertificateCheck {
  std::string digest;  ///< what the certificate says; empty when there is none
  std::string breach;  ///< what does not fit, as a sentence; empty when all does
};
CertificateCheck check_certificate(const store::Reader& reader);

/// Throws Error(bad_data) that names what differs between the file's shape and names and those of the inputs.
void check_layout(const store::Layout& held, const store::Layout& now, const std::filesystem::path& result);

}  // namespace polyhead::run
