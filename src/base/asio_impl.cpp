// The one place where Asio and Process are compiled; see slipway_settings.
// Process first: its implementation includes Asio's headers and must see them uncompiled.
#include <boost/asio/impl/src.hpp>
#include <boost/process/v2/src.hpp>
