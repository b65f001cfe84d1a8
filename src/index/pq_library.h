// libpq, loaded when the first database is opened: linked in the ordinary way, it would cost every
// start of the program some milliseconds. Only postgres.cc knows libpq. Rank 4.
#pragma once

#include <libpq-fe.h>

namespace openclip {

/// The functions of libpq that are used, by their names without "PQ".
struct PqLibrary {
  decltype(&::PQconnectdbParams) connectdbParams;
  decltype(&::PQstatus) status;
  decltype(&::PQerrorMessage) errorMessage;
  decltype(&::PQfinish) finish;
  decltype(&::PQsetNoticeProcessor) setNoticeProcessor;
  decltype(&::PQexecParams) execParams;
  decltype(&::PQclear) clear;
  decltype(&::PQntuples) ntuples;
  decltype(&::PQgetvalue) getvalue;
  decltype(&::PQgetlength) getlength;
  decltype(&::PQresultStatus) resultStatus;
  decltype(&::PQresultErrorField) resultErrorField;
};

/// Loads libpq once per process; thread-safe.
/// Throws: Unsupported naming the Debian package if it is not installed.
const PqLibrary& pq_library();

}  // namespace openclip
