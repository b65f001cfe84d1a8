/* Version of the library; the build and the Python package read it here. Plain C. */
#ifndef OPENCLIP_VERSION_H
#define OPENCLIP_VERSION_H

/* Semantic versioning; docs/api.md says what stays stable. */
#define OPENCLIP_VERSION "0.1.0"
#define OPENCLIP_VERSION_MAJOR 0
#define OPENCLIP_VERSION_MINOR 1
#define OPENCLIP_VERSION_PATCH 0

/* One number for comparisons: 10203 is 1.2.3. */
#define OPENCLIP_VERSION_NUMBER \
  (OPENCLIP_VERSION_MAJOR * 10000 + OPENCLIP_VERSION_MINOR * 100 + OPENCLIP_VERSION_PATCH)

#endif /* OPENCLIP_VERSION_H */
