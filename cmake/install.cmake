# SPDX-License-Identifier: Apache-2.0
# lanyard_install(folders..): `cmake --install` puts these libraries and their headers where another project finds them with
# find_package(lanyard), as lanyard::<folder> (docs/library.md).
include(CMakePackageConfigHelpers)

function(lanyard_install)
  set(headers ${CMAKE_INSTALL_INCLUDEDIR}/lanyard)
  foreach(folder IN LISTS ARGN)
    set_target_properties(lanyard_${folder} PROPERTIES EXPORT_NAME ${folder})
    install(TARGETS lanyard_${folder} EXPORT lanyard ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR} COMPONENT library)
    install(DIRECTORY ${CMAKE_SOURCE_DIR}/src/${folder} DESTINATION ${headers} COMPONENT library FILES_MATCHING PATTERN "*.hh")
  endforeach()
  set(package ${CMAKE_INSTALL_LIBDIR}/cmake/lanyard)
  install(EXPORT lanyard NAMESPACE lanyard:: DESTINATION ${package} COMPONENT library)
  write_basic_package_version_file(${CMAKE_BINARY_DIR}/lanyard-config-version.cmake COMPATIBILITY SameMinorVersion)
  install(FILES ${CMAKE_SOURCE_DIR}/cmake/lanyard-config.cmake ${CMAKE_BINARY_DIR}/lanyard-config-version.cmake
    DESTINATION ${package} COMPONENT library)
endfunction()
