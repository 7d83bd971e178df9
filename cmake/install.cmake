# What `make install` installs. Everything finds its parts relative to itself, so an installed copy can be moved.
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

set(HOT_LIBRARIES hotstart hotstart_shared hotstart_inspect hotstart_http hotstart_http_shared)
set(HOT_PACKAGE_DIR ${CMAKE_INSTALL_LIBDIR}/cmake/hotstart)
set(HOT_PC_DIR ${CMAKE_INSTALL_LIBDIR}/pkgconfig)

# An archive is found under the same -l name as its shared library.
set_target_properties(hotstart_http PROPERTIES OUTPUT_NAME hotstart-http)
set_target_properties(hotstart_inspect PROPERTIES OUTPUT_NAME hotstart-inspect)
# libhotstart-http.so finds libhotstart.so beside it, wherever that is.
set_target_properties(hotstart_http_shared PROPERTIES INSTALL_RPATH $ORIGIN)

install(TARGETS hotstart_cli RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
install(TARGETS ${HOT_LIBRARIES}
  LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR} ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
install(FILES include/hotstart.h DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
install(DIRECTORY include/hotstart DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} FILES_MATCHING PATTERN *.h)
install(DIRECTORY examples DESTINATION ${CMAKE_INSTALL_DOCDIR} FILES_MATCHING PATTERN *.[ch])
install(FILES README.md CHANGELOG.md LICENSE DESTINATION ${CMAKE_INSTALL_DOCDIR})

# find_package(hotstart)
set(HOT_PACKAGE ${PROJECT_BINARY_DIR}/package/hotstartConfig)
configure_package_config_file(cmake/hotstartConfig.cmake.in ${HOT_PACKAGE}.cmake
  INSTALL_DESTINATION ${HOT_PACKAGE_DIR} PATH_VARS CMAKE_INSTALL_LIBDIR CMAKE_INSTALL_INCLUDEDIR)
write_basic_package_version_file(${HOT_PACKAGE}Version.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${HOT_PACKAGE}.cmake ${HOT_PACKAGE}Version.cmake DESTINATION ${HOT_PACKAGE_DIR})

# pkg-config
file(RELATIVE_PATH HOT_PC_TO_PREFIX /${HOT_PC_DIR} /)
foreach(pc hotstart hotstart-http hotstart-inspect)
  configure_file(cmake/${pc}.pc.in ${PROJECT_BINARY_DIR}/package/${pc}.pc @ONLY)
  install(FILES ${PROJECT_BINARY_DIR}/package/${pc}.pc DESTINATION ${HOT_PC_DIR})
endforeach()

# man pages, and a one-line page for every further name that a page has
foreach(section 1 3 7)
  file(GLOB pages CONFIGURE_DEPENDS man/*.${section})
  install(FILES ${pages} DESTINATION ${CMAKE_INSTALL_MANDIR}/man${section})
  foreach(page IN LISTS pages)
    get_filename_component(main ${page} NAME)
    file(STRINGS ${page} names REGEX "^\\.Nm hot(_|start-)")
    foreach(line IN LISTS names)
      string(REGEX MATCH "hot(_|start-)[a-z_]+" name "${line}")
      if(NOT "${name}.${section}" STREQUAL main)
        set(alias ${PROJECT_BINARY_DIR}/package/man/${name}.${section})
        file(WRITE ${alias} ".so man${section}/${main}\n")
        install(FILES ${alias} DESTINATION ${CMAKE_INSTALL_MANDIR}/man${section})
      endif()
    endforeach()
  endforeach()
endforeach()
