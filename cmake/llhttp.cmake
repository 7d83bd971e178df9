# llhttp, from the sources that Debian's node-llhttp package carries. That package pulls in nodejs when it
# is installed; unpacked by itself (apt-get download, dpkg-deb -x) into HOT_LLHTTP_DIR its sources are
# enough. Its own target: it is not clean under our warnings. Strict mode: CR is followed by LF.
include_guard(GLOBAL)

set(HOT_LLHTTP_DIR "${PROJECT_SOURCE_DIR}/build/deps/llhttp" CACHE PATH
  "Where node-llhttp is unpacked (contains usr/share/llhttp)")

find_path(HOT_LLHTTP_INCLUDE llhttp.h
  PATHS ${HOT_LLHTTP_DIR}/usr/share/include/llhttp ${HOT_LLHTTP_DIR}/usr/include
  NO_DEFAULT_PATH)
find_path(HOT_LLHTTP_INCLUDE llhttp.h PATHS /usr/share/include/llhttp)
find_path(HOT_LLHTTP_SOURCES llhttp.c
  PATHS ${HOT_LLHTTP_DIR}/usr/share/llhttp /usr/share/llhttp
  NO_DEFAULT_PATH)
mark_as_advanced(HOT_LLHTTP_INCLUDE HOT_LLHTTP_SOURCES)
if(NOT HOT_LLHTTP_INCLUDE OR NOT HOT_LLHTTP_SOURCES)
  message(FATAL_ERROR
    "llhttp not found: its sources are in the Debian package node-llhttp. "
    "`make deps` unpacks it, or set HOT_LLHTTP_DIR to where it is unpacked.")
endif()

# A static archive, so that who has C sources of ours beside it (the archive of hotstart_http, a test) may
# link it or take its objects.
add_library(llhttp STATIC
  ${HOT_LLHTTP_SOURCES}/api.c
  ${HOT_LLHTTP_SOURCES}/http.c
  ${HOT_LLHTTP_SOURCES}/llhttp.c)
target_include_directories(llhttp SYSTEM PUBLIC ${HOT_LLHTTP_INCLUDE})
target_compile_definitions(llhttp PUBLIC LLHTTP_STRICT_MODE=1)
target_compile_options(llhttp PRIVATE -w)
