# Settings and helpers shared by every room. Warnings and settings are INTERFACE targets that only
# our own targets link, so nothing leaks to or from the distribution's libraries.

set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/bin)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)

option(SLIPWAY_WERROR "warnings are errors (on for developers and CI)" OFF)
option(SLIPWAY_BUILD_TESTS "build the tests (the image build turns this off)" ON)
option(SLIPWAY_STATIC_RUNTIME "link libstdc++ and libgcc statically" OFF)
option(SLIPWAY_STATIC "link everything statically, for hosts of any distribution" OFF)
option(SLIPWAY_BATCHES "compile eight files of a room as one: a quarter of the seconds of a cold build" OFF)
set(SLIPWAY_SANITIZE "" CACHE STRING "value for -fsanitize=, e.g. address,undefined")

find_program(SLIPWAY_CCACHE ccache)
if(SLIPWAY_CCACHE AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  set(CMAKE_CXX_COMPILER_LAUNCHER ${SLIPWAY_CCACHE})
endif()

find_package(Threads REQUIRED)
# Boost is linked statically and fmt compiled in (src/base/fmt_impl.cpp), so that an executable runs on
# a host that has only libc and OpenSSL; OpenSSL stays shared, where scanners see it and the
# distribution patches it.
set(Boost_USE_STATIC_LIBS ON)
if(POLICY CMP0167)
  cmake_policy(SET CMP0167 NEW)  # Boost's own files, which CMake 3.30 has in place of its module
endif()
set(OPENSSL_USE_STATIC_LIBS ${SLIPWAY_STATIC})
find_package(Boost 1.81 REQUIRED COMPONENTS filesystem url)
find_package(OpenSSL 3 REQUIRED)
find_package(fmt REQUIRED)
find_package(nlohmann_json REQUIRED)
find_package(CLI11 REQUIRED)
# The static library, because hosts lack the shared one.
find_library(SLIPWAY_YAML_CPP NAMES libyaml-cpp.a REQUIRED)
get_target_property(slipway_fmt_includes fmt::fmt INTERFACE_INCLUDE_DIRECTORIES)

add_library(slipway_warnings INTERFACE)
target_compile_options(slipway_warnings INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wnon-virtual-dtor -Wold-style-cast -Wcast-qual
  -Woverloaded-virtual -Wimplicit-fallthrough
  # A designated initializer names what differs from the defaults; that is the point of it.
  -Wno-missing-field-initializers
  # GCC 12 takes a coroutine's frame, which Asio allocates and frees itself, for a mismatch.
  $<$<CXX_COMPILER_ID:GNU>:-Wno-mismatched-new-delete>
  $<$<BOOL:${SLIPWAY_WERROR}>:-Werror>)

# The libraries of others. fmt is neither its shared library, which hosts lack, nor header-only, which
# would compile it into every file.
add_library(slipway_libraries INTERFACE)
target_include_directories(slipway_libraries SYSTEM INTERFACE ${slipway_fmt_includes})
target_link_libraries(slipway_libraries INTERFACE
  Boost::headers Boost::filesystem Boost::url Threads::Threads OpenSSL::SSL
  nlohmann_json::nlohmann_json CLI11::CLI11 ${SLIPWAY_YAML_CPP})

# What the ledger keeps its books in. Shared, as OpenSSL is, where scanners see them and the distribution patches
# them. A static executable has SQLite alone: libpq.a wants Kerberos and LDAP, of which there are no static libraries.
add_library(slipway_databases INTERFACE)
find_path(SLIPWAY_SQLITE_INCLUDE sqlite3.h REQUIRED)
if(SLIPWAY_STATIC)
  find_library(SLIPWAY_SQLITE NAMES libsqlite3.a REQUIRED)
  target_link_libraries(slipway_databases INTERFACE ${SLIPWAY_SQLITE} m)
else()
  find_library(SLIPWAY_SQLITE NAMES sqlite3 REQUIRED)
  find_path(SLIPWAY_LIBPQ_INCLUDE libpq-fe.h PATH_SUFFIXES postgresql REQUIRED)
  find_library(SLIPWAY_LIBPQ NAMES pq REQUIRED)
  target_link_libraries(slipway_databases INTERFACE ${SLIPWAY_SQLITE} ${SLIPWAY_LIBPQ})
  target_include_directories(slipway_databases SYSTEM INTERFACE ${SLIPWAY_SQLITE_INCLUDE} ${SLIPWAY_LIBPQ_INCLUDE})
  target_compile_definitions(slipway_databases INTERFACE SLIPWAY_POSTGRESQL)
endif()

add_library(slipway_settings INTERFACE)
target_compile_features(slipway_settings INTERFACE cxx_std_20)
# Asio and Beast are compiled once, in src/base/asio_impl.cpp and src/net/beast_impl.cpp, and not
# again in every file.
target_compile_definitions(slipway_settings INTERFACE
  BOOST_ASIO_SEPARATE_COMPILATION BOOST_BEAST_SEPARATE_COMPILATION
  BOOST_PROCESS_V2_SEPARATE_COMPILATION BOOST_ASIO_NO_DEPRECATED)
if(SLIPWAY_SANITIZE)
  target_compile_options(slipway_settings INTERFACE
    -fsanitize=${SLIPWAY_SANITIZE} -fno-omit-frame-pointer
    # Asio's fences, which the thread sanitizer does not see, stand beside mutexes, which it does.
    $<$<CXX_COMPILER_ID:GNU>:-Wno-tsan>
    # GCC 12 takes what the address sanitizer adds to <regex> for uninitialized (its bug 105562).
    $<$<CXX_COMPILER_ID:GNU>:-Wno-maybe-uninitialized>
    # vptr wants the type information of classes that only the two files of src/base that include CLI11 compile. The
    # address sanitizer sees what null and object-size look for, without doubling the build.
    $<$<CXX_COMPILER_ID:Clang>:-fno-sanitize=vptr,null,object-size>)
  target_link_options(slipway_settings INTERFACE -fsanitize=${SLIPWAY_SANITIZE})
endif()
if(SLIPWAY_STATIC)
  # What nothing calls is left out: a tenth of what is shipped.
  target_compile_options(slipway_settings INTERFACE -ffunction-sections -fdata-sections)
  target_link_options(slipway_settings INTERFACE -static -Wl,--gc-sections)
elseif(SLIPWAY_STATIC_RUNTIME)
  target_link_options(slipway_settings INTERFACE -static-libstdc++ -static-libgcc)
endif()

# slipway_room(FOLDER [COLD] [LINKS room ...]): a room of the house: the folder's .cpp files as a static
# library. What it links is what its files may include, directly or through another room; the ctest
# `house_rooms` reads the includes and holds them to that. The include root is src, bench or tools, so a
# header is included by the room's name and its own: "packet_bench/load/load.hpp". COLD: nothing in it runs
# for each packet, so it is made small rather than fast.
function(slipway_room folder)
  cmake_parse_arguments(arg "COLD" "" "LINKS" ${ARGN})
  set(directory ${CMAKE_CURRENT_SOURCE_DIR}/${folder})
  string(REGEX REPLACE "^${PROJECT_SOURCE_DIR}/([a-z]+)/(.*)$" "\\1;\\2" parts ${directory})
  list(POP_FRONT parts root)
  list(POP_FRONT parts room)
  # CONFIGURE_DEPENDS: a new file is compiled without anybody having to list it.
  file(GLOB sources CONFIGURE_DEPENDS ${directory}/*.cpp)
  list(FILTER sources EXCLUDE REGEX "/main\\.cpp$")
  slipway_target_of(name ${room})
  add_library(${name} STATIC ${sources})
  target_include_directories(${name} PUBLIC ${PROJECT_SOURCE_DIR}/${root})
  slipway_link(${name} PUBLIC ${arg_LINKS})
  target_link_libraries(${name} PUBLIC slipway_settings PRIVATE slipway_warnings)
  if(SLIPWAY_BATCHES)
    # What takes longest alone stays alone, and what changes with each commit.
    set_target_properties(${name} PROPERTIES UNITY_BUILD ON UNITY_BUILD_BATCH_SIZE 8)
    set_source_files_properties(${directory}/http_stream.cpp PROPERTIES SKIP_UNITY_BUILD_INCLUSION ON)
    # GCC takes the frames of coroutines for types without linkage once their file is included in another.
    target_compile_options(${name} PRIVATE $<$<CXX_COMPILER_ID:GNU>:-Wno-subobject-linkage>)
  endif()
  if(arg_COLD)
    target_compile_options(${name} PRIVATE $<$<CONFIG:Release>:-Os>)
  endif()
  set_property(GLOBAL APPEND_STRING PROPERTY slipway_rooms "${root}/${room}: ${arg_LINKS}\n")
endfunction()

# The CMake target of a room: slipway_packet_bench_load of packet_bench/load.
function(slipway_target_of variable room)
  string(REPLACE "/" "_" name ${room})
  set(${variable} slipway_${name} PARENT_SCOPE)
endfunction()

# slipway_link(TARGET PUBLIC|PRIVATE thing ...): rooms by their names, other targets by theirs.
function(slipway_link target visibility)
  foreach(thing IN LISTS ARGN)
    slipway_target_of(room ${thing})
    if(TARGET ${room})
      set(thing ${room})
    endif()
    target_link_libraries(${target} ${visibility} ${thing})
  endforeach()
endfunction()

# slipway_executable(NAME SOURCES main.cpp LINKS room ...): a thin main on top of a room.
function(slipway_executable name)
  cmake_parse_arguments(arg "" "" "SOURCES;LINKS" ${ARGN})
  add_executable(${name} ${arg_SOURCES})
  target_link_libraries(${name} PRIVATE slipway_settings slipway_warnings)
  slipway_link(${name} PRIVATE ${arg_LINKS})
  if(SLIPWAY_STATIC_RUNTIME)
    # scripts/release/sbom reads there what was linked: of what is published.
    target_link_options(${name} PRIVATE LINKER:-Map=${name}.map)
  endif()
endfunction()

# slipway_test(NAME SOURCES a_test.cpp ... LINKS room ... [LABELS ...] [PROPERTIES ...]): a Catch2
# executable. Each of its cases is a ctest, "NAME:sentence", so that one runs by its words. TIMEOUT is
# a case's.
function(slipway_test name)
  cmake_parse_arguments(arg "" "TIMEOUT" "SOURCES;LINKS;LABELS;PROPERTIES" ${ARGN})
  if(NOT arg_TIMEOUT)
    set(arg_TIMEOUT 120)
  endif()
  add_executable(${name}_test ${arg_SOURCES})
  target_include_directories(${name}_test PRIVATE ${PROJECT_SOURCE_DIR}/tests)
  target_link_libraries(${name}_test PRIVATE slipway_settings slipway_warnings slipway_catch_main)
  slipway_link(${name}_test PRIVATE ${arg_LINKS})
  catch_discover_tests(${name}_test TEST_PREFIX "${name}:"
    PROPERTIES TIMEOUT ${arg_TIMEOUT} LABELS "${arg_LABELS}" ${arg_PROPERTIES})
endfunction()

# slipway_embed(ROOM TEMPLATE NAME=FILE ...): compiles the texts of files into a room: the template, beside which
# they are, with each @NAME@ replaced by its file. A changed file is compiled in without anybody having to configure.
function(slipway_embed folder template)
  get_filename_component(directory ${CMAKE_CURRENT_SOURCE_DIR}/${template} DIRECTORY)
  foreach(pair IN LISTS ARGN)
    string(REGEX MATCH "^([^=]+)=(.+)$" matched ${pair})
    set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${directory}/${CMAKE_MATCH_2})
    set(name ${CMAKE_MATCH_1})
    file(READ ${directory}/${CMAKE_MATCH_2} ${name})
  endforeach()
  get_filename_component(source ${template} NAME_WLE)
  configure_file(${template} ${CMAKE_CURRENT_BINARY_DIR}/${folder}/${source} @ONLY)
  string(REGEX REPLACE "^${PROJECT_SOURCE_DIR}/[a-z]+/(.*)$" "\\1" room ${CMAKE_CURRENT_SOURCE_DIR}/${folder})
  slipway_target_of(target ${room})
  target_sources(${target} PRIVATE ${CMAKE_CURRENT_BINARY_DIR}/${folder}/${source})
endfunction()
