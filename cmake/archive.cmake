# A program that runs for a millisecond is loaded for half of it: each shared library costs it fifty microseconds.
# hot_link_archive(TARGET NAME) has an imported target of pkg-config link libNAME.a, where there is one.
function(hot_link_archive target name)
  find_library(HOT_ARCHIVE_${name} lib${name}.a)
  mark_as_advanced(HOT_ARCHIVE_${name})
  if(HOT_ARCHIVE_${name})
    set_target_properties(${target} PROPERTIES INTERFACE_LINK_LIBRARIES ${HOT_ARCHIVE_${name}})
  endif()
endfunction()
