/* What openclip_parquet.so offers: Apache Arrow behind a few C functions. The module is loaded when
 * a Parquet file is first met, so that the program needs no Arrow otherwise and starts no slower
 * with it. Rank 3. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#define OPENCLIP_PARQUET_API __attribute__((visibility("default")))

#ifdef __cplusplus
extern "C" {
#endif

/* Every function that fails writes one line, without the file's name, into error [size]. */

/* Opens a file for reading its rows in order; NULL on failure. */
OPENCLIP_PARQUET_API void* openclip_parquet_open(const char* path, char* error, size_t size);

/* The file's number of rows. */
OPENCLIP_PARQUET_API int64_t openclip_parquet_rows(const void* reader);

/* The next rows as lines of JSON, an object each, valid until the next call. Returns their number,
 * 0 at the end, -1 on failure. */
OPENCLIP_PARQUET_API int64_t openclip_parquet_read(void* reader, const char** text, size_t* bytes,
                                                   char* error, size_t size);

OPENCLIP_PARQUET_API void openclip_parquet_close(void* reader);

/* Writes lines of JSON as a table whose types are found by looking at all of them. 0, or -1 on
 * failure. */
OPENCLIP_PARQUET_API int openclip_parquet_write(const char* jsonl_path, const char* parquet_path,
                                                char* error, size_t size);

#ifdef __cplusplus
}
#endif
