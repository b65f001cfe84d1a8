#include "io/csv.h"

#include <gmock/gmock.h>

#include "base/error.h"

namespace openclip {
namespace {

using Table = std::vector<std::vector<std::string>>;

Table read(std::string_view text) {
  Table table;
  CsvReader reader("t.csv", text);
  while (auto record = reader.next()) table.push_back(std::move(*record));
  return table;
}

TEST(CsvTest, RecordsAndFields) {
  EXPECT_EQ(read("a,b\n1,2\n"), (Table{{"a", "b"}, {"1", "2"}}));
  EXPECT_EQ(read("a,b\r\n1,2"), (Table{{"a", "b"}, {"1", "2"}}));
  EXPECT_EQ(read("\xEF\xBB\xBF"
                 "a,b\n"),
            (Table{{"a", "b"}}));
  EXPECT_EQ(read("a,,\n,b,\n"), (Table{{"a", "", ""}, {"", "b", ""}}));
  EXPECT_EQ(read("a\n\n\r\nb\n"), (Table{{"a"}, {"b"}}));
  EXPECT_EQ(read(""), Table{});
}

TEST(CsvTest, Quotes) {
  EXPECT_EQ(read("\"a,b\",\"say \"\"hi\"\"\"\r\n\"two\nlines\",x\n"),
            (Table{{"a,b", "say \"hi\""}, {"two\nlines", "x"}}));
  EXPECT_EQ(read("\"\",x"), (Table{{"", "x"}}));
  EXPECT_EQ(read("5\" pipe,x"), (Table{{"5\" pipe", "x"}}));
}

TEST(CsvTest, Separators) {
  EXPECT_EQ(read("a;b\n1,5;2\n"), (Table{{"a", "b"}, {"1,5", "2"}}));
  EXPECT_EQ(read("a\tb c\n1\t2,\n"), (Table{{"a", "b c"}, {"1", "2,"}}));
}

TEST(CsvTest, LinesOfRecords) {
  CsvReader reader("t.csv", "a\n\"b\nc\"\nd\n");
  for (const size_t line : {1, 2, 4}) {
    ASSERT_TRUE(reader.next());
    EXPECT_EQ(reader.line(), line);
  }
}

TEST(CsvTest, Refuses) {
  EXPECT_THROW(read("a\n\"b"), ParseError);
  EXPECT_THROW(read("\"a\"b,c"), ParseError);
  CsvReader columns("t.csv", "a,b,c", {.max_columns = 2});
  EXPECT_THROW(columns.next(), ParseError);
  CsvReader bytes("t.csv", "abcdefgh", {.max_record_bytes = 4});
  EXPECT_THROW(bytes.next(), ParseError);
  CsvReader in_quotes("t.csv", "\"abcdefgh\"", {.max_record_bytes = 4});
  EXPECT_THROW(in_quotes.next(), ParseError);
  try {
    read("a\nb\n\"c");
    FAIL();
  } catch (const ParseError& error) {
    EXPECT_THAT(error.what(), testing::HasSubstr("t.csv: line 3"));
  }
}

}  // namespace
}  // namespace openclip
