/* What marks a name as part of the library's interface. Plain C, so that both APIs use it. */
#ifndef OPENCLIP_EXPORT_H
#define OPENCLIP_EXPORT_H

#if defined(_WIN32)
#define OPENCLIP_EXPORT
#else
#define OPENCLIP_EXPORT __attribute__((visibility("default")))
#endif

#endif /* OPENCLIP_EXPORT_H */
