# CPack runs this on what it is about to pack: every file gets the commit's time, since archives keep
# the time at which a file was built, and the modes that a checkout has where nobody narrowed them.
if(DEFINED ENV{SOURCE_DATE_EPOCH})
  execute_process(COMMAND chmod -R u=rwX,go=rX ${CPACK_TEMPORARY_DIRECTORY} COMMAND_ERROR_IS_FATAL ANY)
  execute_process(
    COMMAND find ${CPACK_TEMPORARY_DIRECTORY} -exec touch --no-dereference
      --date=@$ENV{SOURCE_DATE_EPOCH} {} +
    COMMAND_ERROR_IS_FATAL ANY)
endif()
