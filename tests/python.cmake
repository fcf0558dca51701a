# slipway_pytest(NAME FILES a_test.py... [ARGUMENTS ...] [CONFIGURATIONS ...] [LABELS ...] [TIMEOUT S] [SERIAL]):
# a ctest that is a pytest suite. Skipped where scripts/setup did not install pytest.
function(slipway_pytest name)
  cmake_parse_arguments(ARG "SERIAL" "TIMEOUT" "FILES;ARGUMENTS;CONFIGURATIONS;LABELS" ${ARGN})
  set(configurations)
  if(ARG_CONFIGURATIONS)
    set(configurations CONFIGURATIONS ${ARG_CONFIGURATIONS})
  endif()
  list(TRANSFORM ARG_FILES PREPEND ${CMAKE_CURRENT_SOURCE_DIR}/)
  add_test(NAME ${name} ${configurations}
    COMMAND ${PROJECT_SOURCE_DIR}/scripts/lib/pinned-python -m pytest ${ARG_ARGUMENTS} ${ARG_FILES})
  set_tests_properties(${name} PROPERTIES SKIP_RETURN_CODE 77 LABELS "${ARG_LABELS}"
    ENVIRONMENT SLIPWAY_EXECUTABLES=${CMAKE_RUNTIME_OUTPUT_DIRECTORY})
  if(ARG_TIMEOUT)
    set_tests_properties(${name} PROPERTIES TIMEOUT ${ARG_TIMEOUT})
  endif()
  if(ARG_SERIAL)
    set_tests_properties(${name} PROPERTIES RUN_SERIAL ON)
  endif()
endfunction()
