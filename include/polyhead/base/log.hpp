#pragma once

#include <string_view>

/// The log goes to standard error, line by line. Texts arrive formatted (`fmt::format`): spdlog stays inside
/// `log.cpp`, since its fmt and LibTorch's differ.
namespace polyhead::log {

enum class Level { debug, info, warning, error, off };

/// Sets the lowest level that is printed. Default: info.
void set_level(Level level);

/// Names this process in every line ("[rank 3 node7]"). Ranks above 0 print warnings and errors only.
void set_rank(int rank, std::string_view host);

void debug(std::string_view text);
void info(std::string_view text);
void warning(std::string_view text);
void error(std::string_view text);

}  // namespace polyhead::log
