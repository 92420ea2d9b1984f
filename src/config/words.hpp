#pragma once

#include <array>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "polyhead/config/config.hpp"
#include "polyhead/config/fusion_rule.hpp"
#include "polyhead/config/uncertainty.hpp"

namespace polyhead::config {

/// An enumerator and its word in the file.
template <class E>
struct Word {
  E value;
  std::string_view text;
};

/// Words of a table whose rows have a `value` and a `text`.
template <class E, class Row, std::size_t kRows>
constexpr std::array<Word<E>, kRows> words_of(const std::array<Row, kRows>& rows) {
  std::array<Word<E>, kRows> words{};
  for (std::size_t i = 0; i < kRows; ++i) words[i] = {rows[i].value, rows[i].text};
  return words;
}

/// All words of an enumeration, in its order.
template <class E>
inline constexpr auto kWords = nullptr;

template <>
inline constexpr std::array kWords<DataFormat>{Word<DataFormat>{DataFormat::automatic, "auto"},
                                               Word<DataFormat>{DataFormat::image_folder, "image-folder"},
                                               Word<DataFormat>{DataFormat::webdataset, "webdataset"},
                                               Word<DataFormat>{DataFormat::cifar10, "cifar10"},
                                               Word<DataFormat>{DataFormat::cifar100, "cifar100"},
                                               Word<DataFormat>{DataFormat::hdf5, "hdf5"}};
template <>
inline constexpr std::array kWords<PreprocessMode>{Word<PreprocessMode>{PreprocessMode::exact, "exact"},
                                                   Word<PreprocessMode>{PreprocessMode::fast, "fast"}};
template <>
inline constexpr std::array kWords<Interpolation>{Word<Interpolation>{Interpolation::bilinear, "bilinear"},
                                                  Word<Interpolation>{Interpolation::bicubic, "bicubic"}};
template <>
inline constexpr std::array kWords<Arch>{Word<Arch>{Arch::resnet18, "resnet18"},
                                         Word<Arch>{Arch::resnet34, "resnet34"},
                                         Word<Arch>{Arch::resnet50, "resnet50"}};
template <>
inline constexpr std::array kWords<Precision>{Word<Precision>{Precision::fp32, "fp32"}};
template <>
inline constexpr std::array kWords<Engine>{Word<Engine>{Engine::automatic, "auto"},
                                           Word<Engine>{Engine::winograd, "winograd"},
                                           Word<Engine>{Engine::libtorch, "libtorch"}};
template <>
inline constexpr std::array kWords<FusionRule> = words_of<FusionRule>(kFusionRules);
template <>
inline constexpr std::array kWords<Uncertainty> = words_of<Uncertainty>(kUncertainties);
template <>
inline constexpr std::array kWords<Strategy>{
    Word<Strategy>{Strategy::automatic, "auto"}, Word<Strategy>{Strategy::data, "data"},
    Word<Strategy>{Strategy::heads, "heads"}, Word<Strategy>{Strategy::grid, "grid"}};
template <>
inline constexpr std::array kWords<Features>{Word<Features>{Features::exchange, "exchange"},
                                             Word<Features>{Features::local, "local"}};
template <>
inline constexpr std::array kWords<CommBackend>{Word<CommBackend>{CommBackend::automatic, "auto"},
                                                Word<CommBackend>{CommBackend::mpi, "mpi"},
                                                Word<CommBackend>{CommBackend::nccl, "nccl"}};
template <>
inline constexpr std::array kWords<Writers>{Word<Writers>{Writers::coordinator, "coordinator"},
                                            Word<Writers>{Writers::all, "all"}};
template <>
inline constexpr std::array kWords<Cache>{Word<Cache>{Cache::none, "none"},
                                          Word<Cache>{Cache::features, "features"}};
template <>
inline constexpr std::array kWords<Device>{
    Word<Device>{Device::automatic, "auto"}, Word<Device>{Device::cpu, "cpu"},
    Word<Device>{Device::cuda, "cuda"}, Word<Device>{Device::cuda, "gpu"}};  // another word for it
template <>
inline constexpr std::array kWords<Trunk>{Word<Trunk>{Trunk::compare, "compare"},
                                          Word<Trunk>{Trunk::ignore, "ignore"}};
template <>
inline constexpr std::array kWords<LayerKind>{
    Word<LayerKind>{LayerKind::linear, "linear"},       Word<LayerKind>{LayerKind::relu, "relu"},
    Word<LayerKind>{LayerKind::gelu, "gelu"},           Word<LayerKind>{LayerKind::tanh, "tanh"},
    Word<LayerKind>{LayerKind::batchnorm, "batchnorm"}, Word<LayerKind>{LayerKind::layernorm, "layernorm"},
    Word<LayerKind>{LayerKind::dropout, "dropout"},     Word<LayerKind>{LayerKind::flatten, "flatten"}};

/// The words without their enumerators, for messages.
template <class E>
std::vector<std::string> word_list() {
  std::vector<std::string> words;
  for (const Word<E>& word : kWords<E>) words.emplace_back(word.text);
  return words;
}

/// Enumerator of a word; null when there is none.
template <class E>
const E* find_word(std::string_view text) {
  for (const Word<E>& word : kWords<E>) {
    if (word.text == text) return &word.value;
  }
  return nullptr;
}

/// "did you mean 'relu'?", or nothing when no word is near.
std::string did_you_mean(std::string_view word, const std::vector<std::string>& known);

}  // namespace polyhead::config
