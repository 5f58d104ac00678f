# SPDX-License-Identifier: Apache-2.0
# lanyard_folders(a b c): a target lanyard_<folder> for each folder of src/, linking the folders before it.
# Sources are found by pattern, so that a new file needs no edit here. External libraries are named once, below.

set(LANYARD_LIBRARIES_core Boost::context fmt::fmt)
set(LANYARD_LIBRARIES_lab yaml-cpp re2 sqlite3 EXPAT::EXPAT)
set(LANYARD_LIBRARIES_guest PkgConfig::seccomp)
set(LANYARD_LIBRARIES_cli CLI11::CLI11)

find_package(fmt REQUIRED)
find_package(Boost 1.74 REQUIRED COMPONENTS context)
find_package(nlohmann_json REQUIRED)
if(NOT LANYARD_STACK_ONLY)
  find_package(PkgConfig REQUIRED)
  find_package(yaml-cpp REQUIRED)
  find_package(EXPAT REQUIRED)
  find_package(CLI11 REQUIRED)
  find_package(Threads REQUIRED)
  pkg_check_modules(seccomp REQUIRED IMPORTED_TARGET libseccomp)
  # Linked by name: re2.pc asks for -pthread, which the precompiled header was made without.
  pkg_check_modules(re2 REQUIRED re2)
  pkg_check_modules(sqlite3 REQUIRED sqlite3)
endif()

# The standard library is read once for all sources, and GoogleTest once for all tests; with g++ it is most of the time of a
# compilation. Some builds of clang (the preset `tsan` in CI) read what each file includes, so that nothing rests on this.
option(LANYARD_PRECOMPILE "Read the headers of the standard library once" ON)
function(lanyard_precompiled name)
  if(LANYARD_PRECOMPILE)
    cmake_parse_arguments(PARSE_ARGV 1 of "" "" "HEADERS;LIBRARIES")
    file(WRITE ${CMAKE_BINARY_DIR}/${name}.cc "")
    add_library(${name} OBJECT ${CMAKE_BINARY_DIR}/${name}.cc)
    target_link_libraries(${name} PRIVATE lanyard_compile ${of_LIBRARIES})
    target_precompile_headers(${name} PRIVATE ${of_HEADERS})
    # Without it the compiler cache takes no file for the same as before.
    target_compile_options(${name} PRIVATE $<$<CXX_COMPILER_ID:Clang>:SHELL:-Xclang -fno-pch-timestamp>)
  endif()
endfunction()

function(lanyard_use_precompiled target name)
  if(TARGET ${name})
    target_precompile_headers(${target} REUSE_FROM ${name})
  endif()
endfunction()

set(LANYARD_STANDARD_HEADERS <algorithm> <array> <charconv> <cstdint> <cstring> <deque> <expected> <functional> <map> <memory>
  <optional> <set> <span> <string> <string_view> <tuple> <unordered_map> <utility> <variant> <vector> <fmt/format.h>)
lanyard_precompiled(lanyard_precompiled_sources LIBRARIES fmt::fmt HEADERS ${LANYARD_STANDARD_HEADERS})
# Most of cli/ writes JSON.
lanyard_precompiled(lanyard_precompiled_cli LIBRARIES fmt::fmt nlohmann_json::nlohmann_json
  HEADERS ${LANYARD_STANDARD_HEADERS} <nlohmann/json.hpp>)

function(lanyard_folders)
  # Where only some programs are tested, only what they link is built.
  set(on_demand FALSE)
  if(DEFINED LANYARD_TEST_PROGRAMS AND NOT LANYARD_TEST_PROGRAMS STREQUAL "all")
    set(on_demand TRUE)
  endif()
  set(left "")
  foreach(folder IN LISTS ARGN)
    file(GLOB_RECURSE sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/src/${folder}/*.cc)
    list(FILTER sources EXCLUDE REGEX "/src/cli/main\\.cc$")
    set(target lanyard_${folder})
    if(sources)
      add_library(${target} STATIC ${sources})
      if(TARGET lanyard_precompiled_${folder})
        lanyard_use_precompiled(${target} lanyard_precompiled_${folder})
      else()
        lanyard_use_precompiled(${target} lanyard_precompiled_sources)
      endif()
      set(scope PUBLIC)
    else()
      add_library(${target} INTERFACE)
      set(scope INTERFACE)
    endif()
    set_target_properties(${target} PROPERTIES EXCLUDE_FROM_ALL ${on_demand})
    target_include_directories(${target} ${scope} $<BUILD_INTERFACE:${CMAKE_SOURCE_DIR}/src>
      $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}/lanyard>)
    target_compile_features(${target} ${scope} cxx_std_23)
    target_link_libraries(${target} ${scope}
      ${left} ${LANYARD_LIBRARIES_${folder}} nlohmann_json::nlohmann_json $<BUILD_INTERFACE:lanyard_compile>)
    set(left ${target})
  endforeach()
  if(NOT LANYARD_STACK_ONLY)
    add_executable(lanyard ${CMAKE_SOURCE_DIR}/src/cli/main.cc)
    target_link_libraries(lanyard PRIVATE ${left})
    set_target_properties(lanyard PROPERTIES EXCLUDE_FROM_ALL ${on_demand})
  endif()
endfunction()
