#include "index/pq_library.h"

#include "base/shared_library.h"

namespace openclip {
namespace {

PqLibrary load() {
  const SharedLibrary library({"libpq.so.5", "libpq.5.dylib"},
                              "databases cannot be opened without libpq; install libpq5");
  PqLibrary pq{};
  library.bind("PQconnectdbParams", pq.connectdbParams);
  library.bind("PQstatus", pq.status);
  library.bind("PQerrorMessage", pq.errorMessage);
  library.bind("PQfinish", pq.finish);
  library.bind("PQsetNoticeProcessor", pq.setNoticeProcessor);
  library.bind("PQexecParams", pq.execParams);
  library.bind("PQclear", pq.clear);
  library.bind("PQntuples", pq.ntuples);
  library.bind("PQgetvalue", pq.getvalue);
  library.bind("PQgetlength", pq.getlength);
  library.bind("PQresultStatus", pq.resultStatus);
  library.bind("PQresultErrorField", pq.resultErrorField);
  return pq;
}

}  // namespace

const PqLibrary& pq_library() {
  static const PqLibrary pq = load();
  return pq;
}

}  // namespace openclip
