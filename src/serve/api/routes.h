// The APIs: each adds its routes. Rank 6.
#pragma once

#include "serve/api/backend.h"
#include "serve/api/index_set.h"
#include "serve/http/router.h"

namespace openclip {

/// OpenAI: /v1/embeddings, /v1/models and the same without /v1.
void add_openai_routes(Router& router, Backend& backend);
/// /classify.
void add_classify_routes(Router& router, Backend& backend);
/// /detect, /explain.
void add_detect_routes(Router& router, Backend& backend);
/// clip-as-service: /post with execEndpoint / and /rank.
void add_clip_as_service_routes(Router& router, Backend& backend);
/// Immich's machine learning: /predict and /ping.
void add_immich_routes(Router& router, Backend& backend);

/// /search, /indices, /items, /pictures/{id}.
void add_search_routes(Router& router, Backend& backend, const IndexSet& indices);
/// clip-retrieval's back end: /indices-list, /knn-service, /metadata.
void add_clip_retrieval_routes(Router& router, Backend& backend, const IndexSet& indices);
/// The web page: / and /assets/….
void add_page_routes(Router& router);

}  // namespace openclip
