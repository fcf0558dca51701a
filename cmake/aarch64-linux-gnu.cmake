# For arm64 on another machine, with Debian's cross compiler and the libraries of `scripts/setup cross`.
set(CMAKE_SYSTEM_NAME Linux)
set(CMAKE_SYSTEM_PROCESSOR aarch64)
set(CMAKE_CXX_COMPILER aarch64-linux-gnu-g++ CACHE FILEPATH "")
set(CPACK_DEBIAN_PACKAGE_ARCHITECTURE arm64)
