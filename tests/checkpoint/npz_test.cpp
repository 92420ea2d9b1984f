#include "polyhead/checkpoint/npz.hpp"

#include <random>
#include <sstream>

#include <gmock/gmock.h>

#include "mutate.hpp"
#include "support.hpp"
#include "zip_writer.hpp"

namespace polyhead::checkpoint {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::le;
using namespace std::string_literals;

/// An .npy file of version 1.
std::string npy(const std::string& descr, const std::string& shape, const std::string& data,
                const std::string& order = "False") {
  const std::string header =
      "{'descr': " + descr + ", 'fortran_order': " + order + ", 'shape': " + shape + ", }\n";
  return "\x93NUMPY\x01"s + '\0' + le(static_cast<std::uint16_t>(header.size())) + header + data;
}

NumpyArray parse_bytes(const std::string& bytes) {
  return parse_npy(std::as_bytes(std::span(bytes.data(), bytes.size())), "x.npz", "a");
}

std::string npy_refusal(const std::string& bytes) {
  const auto [code, text] = testing::error_of([&] { return parse_bytes(bytes); });
  EXPECT_EQ(code, ExitCode::bad_data);
  EXPECT_THAT(text, ::testing::StartsWith("x.npz: array 'a': "));
  return text;
}

TEST(Npy, ReadsNumbers) {
  const NumpyArray array = parse_bytes(npy("'<f4'", "(2, 1)", le(1.5F) + le(-2.0F)));
  EXPECT_EQ(array.dtype, "<f4");
  EXPECT_FALSE(array.is_text());
  EXPECT_THAT(array.shape, ElementsAre(2, 1));
  EXPECT_THAT(array.values, ElementsAre(1.5, -2.0));
  EXPECT_THAT(parse_bytes(npy("'>i2'", "(2L,)", "\x01\x02\xff\xff"s)).values, ElementsAre(258, -1));
  EXPECT_THAT(parse_bytes(npy("'|b1'", "()", "\x01")).values, ElementsAre(1));
}

TEST(Npy, ReadsTexts) {
  const NumpyArray array = parse_bytes(npy("'|S3'", "(2,)", "ab\0cde"s));
  EXPECT_TRUE(array.is_text());
  EXPECT_THAT(array.texts, ElementsAre("ab", "cde"));
  EXPECT_THAT(array.values, ::testing::IsEmpty());
}

TEST(Npy, FortranOrderIsTurned) {
  EXPECT_THAT(parse_bytes(npy("'|u1'", "(2, 3)", "\x01\x04\x02\x05\x03\x06", "True")).values,
              ElementsAre(1, 2, 3, 4, 5, 6));
}

TEST(Npy, RefusesWhatItCannotRead) {
  EXPECT_THAT(
      npy_refusal(npy("'|O'", "(1,)", "\x80\x02N.")),
      HasSubstr("an array of Python objects, which NumPy pickles and polyhead never loads; convert it with "
                ".astype()"));
  EXPECT_THAT(
      npy_refusal(npy("'<c8'", "(1,)", "12345678")),
      HasSubstr("dtype '<c8' is neither of numbers nor of texts; convert it with .astype('float32')"));
  EXPECT_THAT(npy_refusal(npy("'<f16'", "(1,)", std::string(16, 'x'))), HasSubstr("dtype '<f16' is neither"));
  EXPECT_THAT(npy_refusal(npy("'<M8[ns]'", "(1,)", "12345678")), HasSubstr("dtype '<M8[ns]' is not known"));
  EXPECT_THAT(npy_refusal(npy("[('a', '<f4')]", "(1,)", "1234")),
              HasSubstr("is a structured array; save each field"));
  EXPECT_THAT(npy_refusal(npy("'<f4'", "(3,)", "12345678")),
              HasSubstr("shape [3] and dtype '<f4' take 12 bytes, but it has 8 (truncated?)"));
  EXPECT_THAT(npy_refusal(npy("'<f4'", "(1,)", "12345678")), HasSubstr("take 4 bytes, but it has 8"));
  EXPECT_THAT(npy_refusal(npy("'<f4'", "(4294967296, 4294967296)", "")), HasSubstr("is not possible"));
  EXPECT_THAT(npy_refusal(npy("'<U0'", "(1000000000000,)", "")), HasSubstr("its texts have no characters"));
  EXPECT_THAT(npy_refusal(npy("'<U1'", "(1,)", le(std::uint32_t{0xD800}))),
              HasSubstr("a text that is not Unicode"));
}

TEST(Npy, RefusesDamagedHeaders) {
  EXPECT_THAT(npy_refusal("PK"), HasSubstr("it does not start as a NumPy array does"));
  EXPECT_THAT(npy_refusal("\x93NUMPY\x01"), HasSubstr("malformed: the file ends in it (truncated?)"));
  EXPECT_THAT(npy_refusal("\x93NUMPY\x04"s + std::string(5, '\0')),
              HasSubstr("its version is 4, known are 1 to 3"));
  EXPECT_THAT(npy_refusal("\x93NUMPY\x02"s + '\0' + le(std::uint32_t{0xFFFFFFFF})),
              HasSubstr("the file ends in it"));
  EXPECT_THAT(npy_refusal(npy("'<f4'", "(-1,)", "")), HasSubstr("a dimension is not a whole number"));
  EXPECT_THAT(npy_refusal(npy("'<f4'", "(99999999999999999999,)", "")), HasSubstr("not a whole number"));
  EXPECT_THAT(npy_refusal(npy("'<f4", "(1,)", "1234")), HasSubstr("malformed"));
  EXPECT_THAT(npy_refusal(npy("'<f4'", "(1,)", "1234", "None")), HasSubstr("neither True nor False"));
  EXPECT_THAT(npy_refusal(npy("'<f4'", "(1,), 'x': 1", "1234")), HasSubstr("it has an unknown key"));
  EXPECT_THAT(npy_refusal(npy("'<f4'", "(" + std::string(100, '1') + ",)", "")),
              HasSubstr("not a whole number"));
}

TEST(Npz, DamageEndsInAnError) {
  const std::string whole = npy("'<U2'", "(2, 1)", le(std::uint32_t{0xe9}) + std::string(12, '\0'), "True");
  std::mt19937 random(5);  // the same damage every time
  for (int i = 0; i < 20'000; ++i) {
    try {
      parse_bytes(testing::mutate(whole, random));
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ExitCode::bad_data) << error.what();
    }
  }
}

TEST(Npz, NamesItsArrays) {
  const testing::TemporaryFolder folder;
  const std::string one = npy("'|u1'", "(1,)", "\x07");
  const auto path =
      folder.write("x.npz", testing::zip({{"b.npy", one}, {"a.npy", one}, {"notes.txt", "hi"}}));
  const NpzReader reader(path);
  EXPECT_THAT(reader.names(), ElementsAre("a", "b"));
  EXPECT_TRUE(reader.has("a"));
  EXPECT_FALSE(reader.has("notes.txt"));
  EXPECT_THAT(reader.read("b").values, ElementsAre(7));
  const auto [code, text] = testing::error_of([&] { return reader.read("c"); });
  EXPECT_EQ(code, ExitCode::bad_data);
  EXPECT_EQ(text, path.string() + ": has no array 'c'; its arrays: a, b");
}

TEST(Npz, OtherFilesAreNamed) {
  const testing::TemporaryFolder folder;
  const auto says = [&](const std::string& bytes) {
    const auto path = folder.write("x.npz", bytes);
    const auto [code, text] = testing::error_of([&] { return NpzReader(path).names(); });
    EXPECT_EQ(code, ExitCode::bad_data);
    return text;
  };
  EXPECT_THAT(says(npy("'|u1'", "(1,)", "x")),
              HasSubstr("is a single array of numpy.save; expected an .npz file"));
  EXPECT_THAT(says("hello"), HasSubstr("is not an .npz file"));
  EXPECT_THAT(says(""), HasSubstr("is not an .npz file"));
  const auto [code, text] = testing::error_of([&] { return NpzReader(folder / "none.npz").names(); });
  EXPECT_EQ(code, ExitCode::no_input);
  EXPECT_THAT(text, HasSubstr("none.npz: cannot be read: No such file"));
}

/// Files that NumPy wrote, and what NumPy reads from them: lines "FILE NAME KIND DIMENSION...".
TEST(Npz, ReadsWhatNumPyWrites) {
  const testing::TemporaryFolder folder;
  ASSERT_EQ(testing::make_reference("arrays '" + folder.path().string() + "'"), 0);
  std::ifstream index(folder / "index.txt");
  int count = 0;
  for (std::string line; std::getline(index, line); ++count) {
    std::istringstream words(line);
    std::string file;
    std::string name;
    words >> file >> name;
    std::vector<std::int64_t> shape;
    for (std::int64_t size = 0; words >> size;) shape.push_back(size);
    const bool single = file.ends_with(".npy");
    const NumpyArray array = single ? read_npy(folder / file) : NpzReader(folder / file).read(name);
    EXPECT_EQ(array.shape, shape) << line;
    const std::string expected = testing::read_bytes(folder / (file + "." + name + ".expected"));
    if (array.is_text()) {
      std::string joined;
      for (const std::string& text : array.texts) joined += text + "\n";
      EXPECT_EQ(joined, expected) << line;
    } else {
      ASSERT_EQ(expected.size(), array.values.size() * sizeof(double)) << line;
      EXPECT_EQ(std::string(reinterpret_cast<const char*>(array.values.data()), expected.size()), expected)
          << line;
    }
  }
  EXPECT_GT(count, 50);
  const auto [code, text] = testing::error_of([&] { return NpzReader(folder / "objects.npz").read("o"); });
  EXPECT_EQ(code, ExitCode::bad_data);
  EXPECT_THAT(text, HasSubstr("array 'o': it is an array of Python objects"));
  EXPECT_FALSE(std::filesystem::exists(folder / "executed"));
}

}  // namespace
}  // namespace polyhead::checkpoint
