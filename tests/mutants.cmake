# SPDX-License-Identifier: Apache-2.0
# lanyard_mutant(PROGRAM SOURCE FROM TO): links into PROGRAM a copy of src/SOURCE in which FROM is TO: a bug in a copy of the
# stack. What a program defines itself is not taken from a library, so the library stays as it is.
find_package(Python3 REQUIRED COMPONENTS Interpreter)
function(lanyard_mutant program source from to)
  set(copy ${CMAKE_CURRENT_BINARY_DIR}/${program}_mutant.cc)
  add_custom_command(OUTPUT ${copy}
    COMMAND ${Python3_EXECUTABLE} ${CMAKE_SOURCE_DIR}/tests/mutate.py ${CMAKE_SOURCE_DIR}/src/${source} "${from}" "${to}" ${copy}
    DEPENDS ${CMAKE_SOURCE_DIR}/src/${source} ${CMAKE_SOURCE_DIR}/tests/mutate.py VERBATIM)
  target_sources(${program} PRIVATE ${copy})
endfunction()
