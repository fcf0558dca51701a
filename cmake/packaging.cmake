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
  USE_SOURCE_PERMISSIONS PATTERN __pycache__ EXCLUDE)
install(DIRECTORY ${PROJECT_SOURCE_DIR}/host ${PROJECT_SOURCE_DIR}/tools/slipway/workflows DESTINATION share/slipway
  USE_SOURCE_PERMISSIONS)
install(FILES ${PROJECT_SOURCE_DIR}/Dockerfile DESTINATION share/slipway)
# packet_bench's default target is a connector beside it.
install(TARGETS connector RUNTIME DESTINATION bin)
install(FILES ${PROJECT_SOURCE_DIR}/cmake/lintian-overrides DESTINATION share/lintian/overrides RENAME slipway-tools)
# Man pages, completions, copyright and changelog, made of what was just built.
install(CODE "execute_process(COMMAND scripts/release/manual ${CMAKE_RUNTIME_OUTPUT_DIRECTORY}
  \"\$ENV{DESTDIR}\${CMAKE_INSTALL_PREFIX}\" ${slipway_version}
  WORKING_DIRECTORY ${PROJECT_SOURCE_DIR} COMMAND_ERROR_IS_FATAL ANY)")

set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME "slipway-tools")
set(CPACK_PACKAGE_VERSION "${slipway_version}")
set(CPACK_PACKAGE_VENDOR "Slipway")
set(CPACK_PACKAGE_CONTACT "Slipway maintainers <maintainers@slipway.invalid>")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "deploy, rollback and packet_bench: takes a packet service to a host and back")
set(CPACK_PACKAGE_DESCRIPTION "deploy takes a service to a host without losing a request, and back by
itself where it does not prove healthy; rollback takes it back by hand;
packet_bench drives packets at a fixed rate and judges what became of
them; slipway sets a repository and its hosts up for both.")
set(CPACK_PACKAGE_FILE_NAME "slipway-tools-${slipway_version}-linux-${CMAKE_SYSTEM_PROCESSOR}")
set(CPACK_STRIP_FILES ON)
set(CPACK_INSTALL_DEFAULT_DIRECTORY_PERMISSIONS
  OWNER_READ OWNER_WRITE OWNER_EXECUTE GROUP_READ GROUP_EXECUTE WORLD_READ WORLD_EXECUTE)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SECTION admin)
# Static executables: nothing to depend on; deploy and rollback talk to the engine's socket.
set(CPACK_DEBIAN_PACKAGE_SUGGESTS "docker.io | docker-ce, haproxy, bash-completion, python3")
# Times and owners of the files, which would differ from build to build.
set(CPACK_PRE_BUILD_SCRIPTS ${CMAKE_CURRENT_LIST_DIR}/reproducible.cmake)
include(CPack)
