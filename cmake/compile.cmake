# SPDX-License-Identifier: Apache-2.0
# Warnings, sanitizers and the compiler cache: what every target of this project is compiled with.
option(LANYARD_WERROR "Warnings are errors" ON)
set(LANYARD_SANITIZE "" CACHE STRING "Sanitizers, as in -fsanitize=: address,undefined or thread")

# Release keeps every CHECK and the names of functions in a backtrace; Check is what the sanitizers run on.
set(CMAKE_CXX_FLAGS_RELEASE "-O2 -g1")
set(CMAKE_C_FLAGS_RELEASE "-O2 -g1")
set(CMAKE_CXX_FLAGS_CHECK "-O1 -g1")
set(CMAKE_C_FLAGS_CHECK "-O1 -g1")

find_program(LANYARD_CCACHE ccache)
if(LANYARD_CCACHE)
  set(CMAKE_CXX_COMPILER_LAUNCHER ${LANYARD_CCACHE})
  set(CMAKE_C_COMPILER_LAUNCHER ${LANYARD_CCACHE})
endif()

add_library(lanyard_compile INTERFACE)
target_compile_options(lanyard_compile INTERFACE
  -Wall -Wextra -Wpedantic -Wconversion -Wshadow -Wswitch-enum -fno-omit-frame-pointer
  $<$<BOOL:${LANYARD_WERROR}>:-Werror>)
# g++ 12 sees uninitialised members of empty std::optional at -O2 (GCC bug 80635, open); clang-19 looks in its place.
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  target_compile_options(lanyard_compile INTERFACE -Wno-maybe-uninitialized)
endif()
# clang 19 hides libstdc++ 12's std::expected unless told that concepts are complete.
if(CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
  target_compile_options(lanyard_compile INTERFACE -Wno-builtin-macro-redefined -D__cpp_concepts=202002L)
  # Its std::stable_sort uses std::get_temporary_buffer, which is deprecated, and clang says so at our call.
  target_compile_options(lanyard_compile INTERFACE -Wno-deprecated-declarations)
endif()
# A tenth to a sixth fewer instructions for each packet, and ten seconds or more to link each program: not for every day.
option(LANYARD_WHOLE "Optimise over all files at once, when linking" OFF)
if(LANYARD_WHOLE)
  target_compile_options(lanyard_compile INTERFACE -flto=auto -fomit-frame-pointer)
  target_link_options(lanyard_compile INTERFACE -flto=auto)
endif()
# What a run of tools/train has counted tells the compiler which way the code mostly goes: a quarter less time for each packet. g++ only.
set(LANYARD_PROFILE "" CACHE STRING "Write the counts of a run (count), or build by them (use)")
set(lanyard_counts ${CMAKE_SOURCE_DIR}/build/profile)
if(LANYARD_PROFILE STREQUAL "count")
  target_compile_options(lanyard_compile INTERFACE -fprofile-generate=${lanyard_counts} -fprofile-prefix-path=${CMAKE_BINARY_DIR})
  target_link_options(lanyard_compile INTERFACE -fprofile-generate)
elseif(LANYARD_PROFILE STREQUAL "use")
  # Files that never ran, or have changed since, are compiled as without.
  target_compile_options(lanyard_compile INTERFACE -fprofile-use=${lanyard_counts} -fprofile-prefix-path=${CMAKE_BINARY_DIR}
    -fprofile-correction -Wno-missing-profile -Wno-coverage-mismatch)
  # The compiler cache does not see the counts.
  unset(CMAKE_CXX_COMPILER_LAUNCHER)
  unset(CMAKE_C_COMPILER_LAUNCHER)
endif()
option(LANYARD_FUZZ "Build the fuzzers with libFuzzer (needs clang)" OFF)
if(LANYARD_FUZZ)
  target_compile_options(lanyard_compile INTERFACE -fsanitize=fuzzer-no-link)
  target_link_options(lanyard_compile INTERFACE -fsanitize=fuzzer-no-link)
endif()
option(LANYARD_COVERAGE "Count which branches are taken (needs clang)" OFF)
if(LANYARD_COVERAGE)
  target_compile_options(lanyard_compile INTERFACE -fprofile-instr-generate -fcoverage-mapping)
  target_link_options(lanyard_compile INTERFACE -fprofile-instr-generate)
endif()
if(LANYARD_SANITIZE)
  target_compile_options(lanyard_compile INTERFACE -fsanitize=${LANYARD_SANITIZE} -fno-sanitize-recover=all)
  target_link_options(lanyard_compile INTERFACE -fsanitize=${LANYARD_SANITIZE})
endif()
# The functions that switch between stacks tell ThreadSanitizer so, and are not instrumented.
if(LANYARD_SANITIZE MATCHES "thread")
  set_source_files_properties(src/core/task.cc src/core/fiber_switch.cc PROPERTIES
    COMPILE_OPTIONS -fno-sanitize=thread COMPILE_DEFINITIONS LANYARD_THREAD_SANITIZER=1)
endif()
