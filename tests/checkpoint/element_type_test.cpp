#include "polyhead/checkpoint/element_type.hpp"

#include <cmath>
#include <limits>

#include <gtest/gtest.h>

#include "support.hpp"

namespace polyhead::checkpoint {
namespace {

using testing::le;

float one(ElementType type, const std::string& bytes) {
  float value = 0;
  convert(type, std::as_bytes(std::span(bytes.data(), bytes.size())), std::span(&value, 1));
  return value;
}

TEST(ElementType, ConvertsEachType) {
  EXPECT_EQ(one(ElementType::f16, le(std::uint16_t{0xC100})), -2.5F);
  EXPECT_EQ(one(ElementType::f16, le(std::uint16_t{0x0001})), 0x1p-24F);  // subnormal
  EXPECT_EQ(one(ElementType::f16, le(std::uint16_t{0x8000})), 0.0F);
  EXPECT_TRUE(std::signbit(one(ElementType::f16, le(std::uint16_t{0x8000}))));
  EXPECT_EQ(one(ElementType::f16, le(std::uint16_t{0x7BFF})), 65504.0F);
  EXPECT_EQ(one(ElementType::f16, le(std::uint16_t{0xFC00})), -std::numeric_limits<float>::infinity());
  EXPECT_TRUE(std::isnan(one(ElementType::f16, le(std::uint16_t{0x7E00}))));
  EXPECT_EQ(one(ElementType::f8_e4m3fn, "\x7e"), 448.0F);
  EXPECT_EQ(one(ElementType::f8_e4m3fn, "\x81"), -0x1p-9F);
  EXPECT_TRUE(std::isnan(one(ElementType::f8_e4m3fn, "\xff")));
  EXPECT_EQ(one(ElementType::f8_e5m2, "\x7b"), 57344.0F);
  EXPECT_EQ(one(ElementType::f8_e5m2, "\x7c"), std::numeric_limits<float>::infinity());
  EXPECT_EQ(one(ElementType::bf16, le(std::uint16_t{0x3FC0})), 1.5F);
  EXPECT_EQ(one(ElementType::f32, le(-0.1F)), -0.1F);
  EXPECT_EQ(one(ElementType::f64, le(0.1)), 0.1F);
  EXPECT_EQ(one(ElementType::i8, le(std::int8_t{-5})), -5.0F);
  EXPECT_EQ(one(ElementType::u8, le(std::uint8_t{200})), 200.0F);
  EXPECT_EQ(one(ElementType::i16, le(std::int16_t{-300})), -300.0F);
  EXPECT_EQ(one(ElementType::u16, le(std::uint16_t{60000})), 60000.0F);
  EXPECT_EQ(one(ElementType::i32, le(std::int32_t{-70000})), -70000.0F);
  EXPECT_EQ(one(ElementType::u32, le(std::uint32_t{4'000'000'000})), 4'000'000'000.0F);
  EXPECT_EQ(one(ElementType::i64, le(std::int64_t{-1})), -1.0F);
  EXPECT_EQ(one(ElementType::u64, le(std::uint64_t{1} << 63U)), 0x1p63F);
  EXPECT_EQ(one(ElementType::boolean, le(std::uint8_t{1})), 1.0F);
}

TEST(ElementType, BeyondFp32IsInfinite) {
  EXPECT_EQ(one(ElementType::f64, le(1e300)), std::numeric_limits<float>::infinity());
}

TEST(ElementType, RefusesSizesThatDiffer) {
  const auto [code, text] = testing::error_of([] { return one(ElementType::f64, "1234"); });
  EXPECT_EQ(code, ExitCode::internal);
  EXPECT_EQ(text, "convert: sizes of input and output differ");
}

}  // namespace
}  // namespace polyhead::checkpoint
