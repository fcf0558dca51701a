# The host tools as a Debian package: `cmake --build --preset tools && (cd build/tools && cpack)`;
# scripts/release/assets makes the tarball too. The same commit gives the same bytes:
# scripts/release/verify-reproducible.
if(NOT TARGET deploy OR NOT TARGET packet_bench OR NOT SLIPWAY_STATIC)
  return()
endif()

install(TARGETS packet_bench deploy rollback slipway slipway-saboteur RUNTIME DESTINATION bin)
# What `slipway rehearse` and `slipway setup` need beside them.
install(PROGRAMS ${PROJECT_SOURCE_DIR}/scripts/setup-host DESTINATION share/slipway/scripts)
install(DIRECTORY ${PROJECT_SOURCE_DIR}/scripts/lib DESTINATION share/slipway/scripts
  PATTERN __pycache__ EXCLUDE)
install(DIRECTORY ${PROJECT_SOURCE_DIR}/host ${PROJECT_SOURCE_DIR}/tools/slipway/workflows DESTINATION share/slipway)
install(FILES ${PROJECT_SOURCE_DIR}/Dockerfile DESTINATION share/slipway)
# packet_bench's default target is a connector beside it.
install(TARGETS connector RUNTIME DESTINATION bin)
install(FILES ${PROJECT_SOURCE_DIR}/LICENSE DESTINATION share/doc/slipway-tools)

set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME "slipway-tools")
set(CPACK_PACKAGE_VERSION "${slipway_version}")
set(CPACK_PACKAGE_VENDOR "Slipway")
set(CPACK_PACKAGE_CONTACT "Slipway maintainers <maintainers@slipway.invalid>")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "deploy, rollback and packet_bench: takes a packet service to a host and back")
set(CPACK_PACKAGE_FILE_NAME "slipway-tools-${slipway_version}-linux-${CMAKE_SYSTEM_PROCESSOR}")
set(CPACK_STRIP_FILES ON)
set(CPACK_INSTALL_DEFAULT_DIRECTORY_PERMISSIONS
  OWNER_READ OWNER_WRITE OWNER_EXECUTE GROUP_READ GROUP_EXECUTE WORLD_READ WORLD_EXECUTE)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SECTION admin)
# Static executables: nothing to depend on; deploy and rollback talk to the engine's socket.
set(CPACK_DEBIAN_PACKAGE_RECOMMENDS "docker.io | docker-ce, haproxy")
# Times and owners of the files, which would differ from build to build.
set(CPACK_PRE_BUILD_SCRIPTS ${CMAKE_CURRENT_LIST_DIR}/reproducible.cmake)
include(CPack)
