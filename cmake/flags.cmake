# What every target of ours is compiled with. Foreign sources (llhttp) do not link to it.
add_library(hot_flags INTERFACE)
target_compile_definitions(hot_flags INTERFACE _GNU_SOURCE)
target_include_directories(hot_flags INTERFACE ${PROJECT_SOURCE_DIR}/include)
target_compile_options(hot_flags INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wsign-conversion -Wstrict-prototypes
  -Wmissing-prototypes -Wpointer-arith -Wcast-qual -Wundef -Wvla -Wformat=2 -Wnull-dereference
  -Wwrite-strings -fno-strict-aliasing -fstack-protector-strong)

option(HOT_WERROR "Treat warnings as errors" OFF)
if(HOT_WERROR)
  target_compile_options(hot_flags INTERFACE -Werror)
endif()

set(HOT_SANITIZE "" CACHE STRING "Sanitizers for everything: address,undefined or thread")
if(HOT_SANITIZE)
  add_compile_options(-fsanitize=${HOT_SANITIZE} -fno-omit-frame-pointer)
  add_link_options(-fsanitize=${HOT_SANITIZE})
endif()
