# Settings and helpers shared by every room. Warnings and settings are INTERFACE targets that only
# our own targets link, so nothing leaks to or from the distribution's libraries.

set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/bin)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)

option(SLIPWAY_WERROR "warnings are errors (on for developers and CI)" OFF)
option(SLIPWAY_BUILD_TESTS "build the tests (the image build turns this off)" ON)
option(SLIPWAY_STATIC_RUNTIME "link libstdc++ and libgcc statically" OFF)
option(SLIPWAY_STATIC "link everything statically, for hosts of any distribution" OFF)
set(SLIPWAY_SANITIZE "" CACHE STRING "value for -fsanitize=, e.g. address,undefined")

find_program(SLIPWAY_CCACHE ccache)
if(SLIPWAY_CCACHE AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  set(CMAKE_CXX_COMPILER_LAUNCHER ${SLIPWAY_CCACHE})
endif()

find_package(Threads REQUIRED)
# Boost.Process v2 needs Boost.Filesystem. It is linked statically and fmt is header-only, so that an executable
# runs on a host that has only libc and OpenSSL; OpenSSL stays shared, where scanners see it and the
# distribution patches it.
set(Boost_USE_STATIC_LIBS ON)
set(OPENSSL_USE_STATIC_LIBS ${SLIPWAY_STATIC})
find_package(Boost 1.81 REQUIRED COMPONENTS filesystem)
find_package(OpenSSL 3 REQUIRED)
find_package(fmt REQUIRED)
find_package(nlohmann_json REQUIRED)
find_package(CLI11 REQUIRED)

add_library(slipway_warnings INTERFACE)
target_compile_options(slipway_warnings INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wnon-virtual-dtor -Wold-style-cast -Wcast-qual
  -Woverloaded-virtual -Wimplicit-fallthrough
  # A designated initializer names what differs from the defaults; that is the point of it.
  -Wno-missing-field-initializers $<$<BOOL:${SLIPWAY_WERROR}>:-Werror>)

add_library(slipway_settings INTERFACE)
target_compile_features(slipway_settings INTERFACE cxx_std_20)
# Asio and Beast are compiled once, in src/base/boost_impl.cpp, and not again in every file.
target_compile_definitions(slipway_settings INTERFACE
  BOOST_ASIO_SEPARATE_COMPILATION BOOST_BEAST_SEPARATE_COMPILATION
  BOOST_PROCESS_V2_SEPARATE_COMPILATION BOOST_ASIO_NO_DEPRECATED)
if(SLIPWAY_SANITIZE)
  target_compile_options(slipway_settings INTERFACE
    -fsanitize=${SLIPWAY_SANITIZE} -fno-omit-frame-pointer
    # Asio's fences, which the thread sanitizer does not see, stand beside mutexes, which it does.
    $<$<CXX_COMPILER_ID:GNU>:-Wno-tsan>
    # vptr wants the type information of classes that only src/base/command_line.cpp compiles. The
    # address sanitizer sees what null and object-size look for, without doubling the build.
    $<$<CXX_COMPILER_ID:Clang>:-fno-sanitize=vptr,null,object-size>)
  target_link_options(slipway_settings INTERFACE -fsanitize=${SLIPWAY_SANITIZE})
endif()
if(SLIPWAY_STATIC)
  target_link_options(slipway_settings INTERFACE -static)
elseif(SLIPWAY_STATIC_RUNTIME)
  target_link_options(slipway_settings INTERFACE -static-libstdc++ -static-libgcc)
endif()

# slipway_library(NAME SOURCES a.cpp ... LINKS other ...): a room's static library. Headers are
# included from src/, bench/ and tools/ as "room/noun.hpp".
function(slipway_library name)
  cmake_parse_arguments(arg "" "" "SOURCES;LINKS" ${ARGN})
  add_library(${name} STATIC ${arg_SOURCES})
  target_include_directories(${name} PUBLIC
    ${PROJECT_SOURCE_DIR}/src ${PROJECT_SOURCE_DIR}/bench ${PROJECT_SOURCE_DIR}/tools)
  target_link_libraries(${name} PUBLIC slipway_settings ${arg_LINKS} PRIVATE slipway_warnings)
endfunction()

# slipway_executable(NAME SOURCES main.cpp LINKS room ...): a thin main on top of a room.
function(slipway_executable name)
  cmake_parse_arguments(arg "" "" "SOURCES;LINKS" ${ARGN})
  add_executable(${name} ${arg_SOURCES})
  target_link_libraries(${name} PRIVATE slipway_settings slipway_warnings ${arg_LINKS})
endfunction()

# slipway_test(NAME SOURCES a_test.cpp ... LINKS room ... [LABELS ...]): a Catch2 executable, one
# ctest per executable, named for the module it proves.
function(slipway_test name)
  cmake_parse_arguments(arg "" "TIMEOUT" "SOURCES;LINKS;LABELS" ${ARGN})
  if(NOT arg_TIMEOUT)
    set(arg_TIMEOUT 120)
  endif()
  add_executable(${name}_test ${arg_SOURCES})
  target_include_directories(${name}_test PRIVATE ${PROJECT_SOURCE_DIR}/tests)
  target_link_libraries(${name}_test PRIVATE
    slipway_settings slipway_warnings slipway_catch_main ${arg_LINKS})
  add_test(NAME ${name} COMMAND ${name}_test)
  # 77: the test could not run on this machine and says why; ctest lists it as skipped.
  set_tests_properties(${name} PROPERTIES
    TIMEOUT ${arg_TIMEOUT} SKIP_RETURN_CODE 77 LABELS "${arg_LABELS}")
endfunction()
