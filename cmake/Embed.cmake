# openclip_embed(TARGET FILE SYMBOL): compiles FILE's bytes into TARGET as
#   namespace openclip::embedded { extern const std::string_view SYMBOL; }
# Plain C++, so that no linker or object-file tool of one platform is needed.
function(openclip_embed target file symbol)
  get_filename_component(path "${file}" ABSOLUTE)
  set(output "${CMAKE_CURRENT_BINARY_DIR}/embedded_${symbol}.cc")
  add_custom_command(
    OUTPUT "${output}"
    COMMAND "${CMAKE_COMMAND}" -DINPUT=${path} -DOUTPUT=${output} -DSYMBOL=${symbol}
            -P "${PROJECT_SOURCE_DIR}/cmake/embed_file.cmake"
    DEPENDS "${path}" "${PROJECT_SOURCE_DIR}/cmake/embed_file.cmake"
    COMMENT "Embedding ${file}"
    VERBATIM)
  # Bytes only: other sources would have nothing to share with it.
  set_source_files_properties("${output}" PROPERTIES SKIP_UNITY_BUILD_INCLUSION ON)
  target_sources(${target} PRIVATE "${output}")
endfunction()
